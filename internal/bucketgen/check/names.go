package check

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

var idPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$`)

func validID(id string) bool { return idPattern.MatchString(id) }

// reserved are the names that the generated package declares for itself.
var reserved = map[string]bool{"Registry": true, "Properties": true}

// GoName returns the name that a bucket has in generated code: "power-users" is PowerUsers.
func GoName(id string) string {
	return exported(strings.FieldsFunc(id, func(r rune) bool { return r == '-' || r == '_' }), "Bucket")
}

// PropertyGoName returns the name that a property has in generated code: "trial_days.left" is
// TrialDaysLeft. It is not unique.
func PropertyGoName(name string) string { return exported(words(name), "Property") }

// EventGoName returns the name that an event has in generated code: "app.active" is AppActive. It
// is not unique.
func EventGoName(name string) string { return exported(words(name), "Event") }

func words(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool {
		return r > 'z' || r < '0' || r > '9' && r < 'A' || r > 'Z' && r < 'a'
	})
}

// exported joins words to an exported identifier. The initialism ID is written as Go writes it:
// cart_id and cartId are CartID.
func exported(words []string, prefix string) string {
	var b strings.Builder
	for _, w := range words {
		w = strings.ToUpper(w[:1]) + w[1:]
		if stem, is := strings.CutSuffix(w, "Id"); is {
			w = stem + "ID"
		}
		b.WriteString(w)
	}
	name := b.String()
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return prefix + name
	}
	return name
}

// TickLabel returns the label of a dwell tick: every-30d or after-90m. The unit is the largest one
// that divides the span, so that equal spans have one label and a label reads back exactly.
func TickLabel(t ir.Tick) string {
	kind := "after"
	if t.Every {
		kind = "every"
	}
	count, symbol := t.Span.Milliseconds(), "ms"
	for _, u := range units {
		if t.Span%u.span == 0 {
			count, symbol = int64(t.Span/u.span), u.symbol
			break
		}
	}
	return fmt.Sprintf("%s-%d%s", kind, count, symbol)
}

// units are those of the spans of ticks, the largest first.
var units = [...]struct {
	symbol, name string
	span         time.Duration
}{
	{"d", "Day", 24 * time.Hour},
	{"h", "Hour", time.Hour},
	{"m", "Minute", time.Minute},
	{"s", "Second", time.Second},
	{"ms", "Millisecond", time.Millisecond},
}

// TickGoName returns the name that a dwell tick has in generated code: PowerUsersAfter7Days.
func TickGoName(id string, t ir.Tick) string {
	kind := "After"
	if t.Every {
		kind = "Every"
	}
	return GoName(id) + kind + spell(t.Span)
}

// spell writes a duration as words of an identifier: 36h is 1Day12Hours.
func spell(d time.Duration) string {
	var b strings.Builder
	for _, u := range units {
		n := d / u.span
		d %= u.span
		if n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
		}
		if n > 1 {
			b.WriteString("s")
		}
	}
	return b.String()
}

func tickNames(d *ir.Definition) []string {
	var names []string
	for _, t := range d.Ticks {
		if t.Span >= time.Millisecond {
			names = append(names, TickGoName(d.ID, t))
		}
	}
	return names
}

// suggestID returns a valid id that resembles an invalid one, or "".
func suggestID(id string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		default:
			return '-'
		}
	}, id)
	clean = strings.Trim(clean, "-_")
	if len(clean) > 64 {
		clean = strings.Trim(clean[:64], "-_")
	}
	return clean
}
