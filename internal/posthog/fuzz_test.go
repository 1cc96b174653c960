package posthog_test

import (
	"testing"
	"time"
	"unicode/utf8"

	"github.com/bucketgen/bucketgen/internal/posthog"
)

// FuzzRead reads any text as a call of PostHog: a call that passes has ids of valid text.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"event":"order","distinct_id":"ada","properties":{"total":12},"timestamp":"2026-01-01T00:00:00Z","uuid":"1"}`,
		`{"event":"$identify","distinct_id":"ada","properties":{"$anon_distinct_id":"v","$set":{"plan":"pro"},"$set_once":{"a":1}}}`,
		`{"event":"$create_alias","properties":{"distinct_id":"v","alias":"ada"}}`, `{"event":"$groupidentify","distinct_id":"ada"}`,
		`{"event":"x","distinct_id":7}`, `{"event":"x","distinct_id":"\ud800"}`, `{"event":"x","EVENT":"y","distinct_id":"a"}`, `[]`, `null`, `{`,
	} {
		f.Add([]byte(seed), "2026-01-01T00:00:01Z")
	}
	f.Fuzz(func(t *testing.T, text []byte, sentAt string) {
		c, err := posthog.Parse(text)
		if err != nil {
			_ = posthog.Named(err).Error()
			return
		}
		_, ev, err := c.Read(sentAt, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC))
		if err == nil && (!utf8.ValidString(ev.UserID) || !utf8.ValidString(ev.Name)) {
			t.Fatalf("%q is read as %+v", text, ev)
		}
	})
}
