package view

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/engine/server/client"
)

// Names is a list of names that are declared or received.
type Names struct {
	Rows   []NameRow
	Hourly bool // Hourly says that the rows have hours and buckets, which fields do not
	Total  int64
	Next   string
}

// NameRow is an event name, a property, or a field of a payload.
type NameRow struct {
	Name     string
	Declared bool
	Types    []string
	Seen     []client.SeenType
	Count    int64
	Last     time.Time // Last is when it was received last; zero if it never was
	Near     string    // Near has the names that may be meant
	Hours    []int64   // Hours are the numbers of the last 24 hours; the last is the present one
	UsedBy   []string
	Uses     int64
}

// keptHours is how many hours a row has.
const keptHours = 24

// NameOf returns the row of an event name or a property.
func NameOf(n *client.CatalogName, asOf time.Time) NameRow {
	row := NameRow{
		Name: n.Event + n.Name, Declared: n.Declared, Types: n.Types, Seen: n.Seen, Count: n.Count, Last: n.LastSeen, Near: nearWords(n.Near),
		Hours: make([]int64, keptHours), UsedBy: n.UsedBy, Uses: n.Uses,
	}
	now := asOf.UTC().Truncate(time.Hour)
	for _, h := range n.Hours {
		if ago := int(now.Sub(h.At) / time.Hour); ago >= 0 && ago < keptHours {
			row.Hours[keptHours-1-ago] = h.Count
		}
	}
	return row
}

// FieldOf returns the row of a field of a payload.
func FieldOf(e *client.CatalogEntry) NameRow {
	row := NameRow{Name: e.Event + " · " + e.Name, Declared: e.Declared, Types: e.Types, Seen: e.Seen, Count: e.Count, Near: nearWords(e.Near)}
	for _, s := range e.Seen {
		if s.LastSeen.After(row.Last) {
			row.Last = s.LastSeen
		}
	}
	return row
}

func (n *NameRow) declaredAs() string {
	if len(n.Types) == 0 {
		return "yes"
	}
	return strings.Join(n.Types, ", ")
}

var driftWords = map[client.DriftKind]string{client.DriftKindMisspelt: "misspelt", client.DriftKindMistyped: "other type", client.DriftKindUnseen: "never received"}

func nearWords(all []client.DriftName) string {
	words := make([]string, len(all))
	for i, n := range all {
		words[i] = n.Event + n.Name
	}
	return strings.Join(words, ", ")
}

func wrongOf(wrong bool) string {
	if wrong {
		return "warn"
	}
	return "quiet"
}

func seenAs(s client.SeenType) string {
	if s.Type == "" {
		return "event"
	}
	return s.Type
}

// payloadOf returns what an event carries, as JSON, up to a number of characters.
func payloadOf(e client.RecentEvent) string {
	const most = 200
	var parts []string
	for _, one := range []any{e.Properties, e.Traits, e.Once} {
		if text, err := json.Marshal(one); err == nil && string(text) != "null" {
			parts = append(parts, string(text))
		}
	}
	text := []rune(strings.Join(parts, " "))
	if len(text) > most {
		text = append(text[:most], '…')
	}
	return string(text)
}
