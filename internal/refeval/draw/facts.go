package draw

import (
	"encoding/json"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/refeval"
)

// Facts draws what is known of a user at an instant, in no particular order, and the properties as
// JSON.
func Facts(t *rapid.T, now time.Time) (*refeval.Facts, []byte) {
	f := &refeval.Facts{
		User: one(t, "user", "ada", "bob", "cy", "dee"), Properties: map[string]any{},
		Members: map[string]bool{}, Due: map[string]time.Time{},
	}
	for range upTo(t, "events", 0, 8) {
		ago := one(t, "ago", 0, Hour, 2*Hour, 3*Hour, 4*Hour, 5*Hour, 8*Hour, time.Microsecond, Hour-time.Microsecond, Hour+time.Microsecond)
		ev := refeval.Event{Name: one(t, "name", events...), At: now.Add(-ago)}
		if err := json.Unmarshal(payload(t, now), &ev.Properties); err != nil {
			t.Fatal(err)
		}
		f.Events = append(f.Events, ev)
	}
	for _, bucket := range []string{"a", "b", "c"} {
		f.Members[bucket] = chance(t, "member", 50)
		if chance(t, "due", 60) {
			f.Due[bucket] = now.Add(one(t, "due in", 8*Hour, 9*Hour, 10*Hour, 9*Hour+time.Microsecond)) // later than any clock
		}
	}
	raw := []byte("{")
	f.Changes = map[string]refeval.Change{}
	for i, key := range slices.Compact(slices.Sorted(slices.Values(keys))) {
		value := valueFor(t, key, now)
		if chance(t, "changed", 70) {
			f.Changes[key] = change(t, now)
		}
		if i > 0 {
			raw = append(raw, ',')
		}
		raw = append(raw, `"`+key+`":`+value...)
	}
	raw = append(raw, '}')
	if err := json.Unmarshal(raw, &f.Properties); err != nil {
		t.Fatal(err)
	}
	return f, raw
}

// change draws when a property last changed, and from what.
func change(t *rapid.T, now time.Time) refeval.Change {
	c := refeval.Change{At: now.Add(-one(t, "since", 0, Hour, 2*Hour, 3*Hour, 5*Hour, time.Microsecond, Hour+time.Microsecond))}
	if err := json.Unmarshal([]byte(one(t, "was", values...)), &c.Was); err != nil {
		t.Fatal(err)
	}
	return c
}

// Clock draws an instant at or after another, often one at which a condition changes.
func Clock(t *rapid.T, now time.Time) time.Time {
	return now.Add(one(t, "later", 0, Hour, 2*Hour, 3*Hour, 5*Hour, 7*Hour, time.Microsecond, Hour-time.Microsecond, 90*time.Minute, Hour+time.Microsecond))
}
