package segment_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/segment"
)

// TestTimesAtTheEdge reads timestamps at or beyond the limits of time.Time, RFC 3339 and
// PostgreSQL.
func TestTimesAtTheEdge(t *testing.T) {
	t.Parallel()
	received := time.Date(2026, time.November, 29, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name      string
		fields    string
		want      string // time of the event; empty: none is given
		wantField string // field that is refused
	}{
		{"none", ``, "", ""},
		{"the zero time", `"timestamp":"0001-01-01T00:00:00Z"`, "", "timestamp"},
		{"the zero time elsewhere", `"timestamp":"0001-01-01T01:00:00+01:00"`, "", "timestamp"},
		{"the original time", `"originalTimestamp":"0001-01-01T00:00:00Z"`, "", "originalTimestamp"},
		{"the time of sending", `"timestamp":"2026-11-29T11:00:00Z","sentAt":"0001-01-01T00:00:00Z"`, "", "sentAt"},
		{"a microsecond later", `"timestamp":"0001-01-01T00:00:00.000001Z"`, "0001-01-01T00:00:00.000001Z", ""},
		{"before the year 1", `"timestamp":"0001-01-01T00:00:00+01:00"`, "0000-12-31T23:00:00Z", ""}, // the engine refuses it
		{"five digits", `"timestamp":"10000-01-01T00:00:00Z"`, "", "timestamp"},
		{"longer ago than a duration holds", `"timestamp":"1600-01-01T00:00:00Z","sentAt":"2026-11-29T11:00:00Z"`, "1600-01-01T01:00:00Z", ""},
		{"corrected to the zero time", `"timestamp":"0001-01-01T01:00:00Z","sentAt":"2026-11-29T13:00:00Z"`, "", "timestamp"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, err := segment.Parse([]byte("{" + strings.Trim(`"type":"track","userId":"ada","event":"visit",`+test.fields, ",") + "}"))
			if err != nil {
				t.Fatal(err)
			}
			ev, err := c.Read()
			if err == nil {
				err = segment.Correct(&ev, c.SentAt, received)
			}
			var invalid *engine.InvalidError
			switch {
			case errors.As(err, &invalid):
				if invalid.Field != test.wantField {
					t.Errorf("got %v, want a refusal of %q", err, test.wantField)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			got := ""
			if !ev.OccurredAt.IsZero() {
				got = ev.OccurredAt.UTC().Format(time.RFC3339Nano)
			}
			if got != test.want || test.wantField != "" {
				t.Errorf("got an event of %q, want one of %q and a refusal of %q", got, test.want, test.wantField)
			}
		})
	}
}
