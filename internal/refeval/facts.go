package refeval

import (
	"regexp"
	"time"
)

// Event is something that a user did.
type Event struct {
	Name       string
	At         time.Time
	Properties map[string]any // the payload
}

// Facts is what is known of one user: everything they ever did, in the order in which it arrived,
// and the values of their properties as encoding/json reads them. A property that is null is
// missing.
type Facts struct {
	User       string // their id
	Events     []Event
	Properties map[string]any
	Changes    map[string]Change // the last one of each declared property that ever changed
	Members    map[string]bool   // the buckets that the user is in

	// Due is the next due instant of each bucket. Only horizons need it.
	Due map[string]time.Time
}

// Change is a change of a property: from what, nil if it was missing, and when.
type Change struct {
	Was any
	At  time.Time
}

// micro is the resolution of time.
const micro = time.Microsecond

// strictly RFC 3339: time.Parse takes some texts for instants that are none.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$`)

// instant reads the value of a property that is declared as a time.
func instant(value any) (time.Time, bool) {
	text, isText := value.(string)
	if !isText || !rfc3339.MatchString(text) {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return t.UTC().Truncate(micro), err == nil
}
