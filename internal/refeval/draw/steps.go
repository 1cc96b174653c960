package draw

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// Start is when histories begin.
var Start = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// pauses are the times between two steps. Most steps fall on whole hours, and some next to them.
var pauses = []time.Duration{
	0, Hour, 0, 2 * Hour, Hour, 3 * Hour, time.Microsecond, 5 * Hour, Hour - time.Microsecond, 30 * time.Minute, 0, 17 * Hour,
}

// values are what properties have, as JSON; times come beside them.
var values = []string{
	`"pro"`, `"free"`, `5`, `true`, `null`, `false`, `"5"`, `1`, `0`, `-3`, `5.5`, `5.0`, `""`, `"professional"`, `[5]`, `[]`, `{"a":5}`,
	`"not a time"`, `"2026-01-01"`, `1e-2`, `"PRO"`, `"Pro"`, `"\u212a"`, `"k"`, `["pro"]`, `["pro", "free", 5]`, `["5", "", "Professional"]`,
}

// keys are the keys of properties and traits: those that criteria ask about, one that is declared
// all the same, and one that is not.
var keys = []string{"plan", "seats", "trial", "since", "active", "tags", "vip", "at", "plan", "p", "spare", "loose"}

// Steps draws what happens to some users, in the order of time.
func Steps(t *rapid.T, f *ir.File, users []string, most int) []refeval.Action {
	now := Start
	steps := make([]refeval.Action, 0, most)
	for range upTo(t, "steps", 1, most) {
		now = now.Add(one(t, "pause", pauses...))
		steps = append(steps, anyStep(t, now, one(t, "user", users...), users, manual(f)))
	}
	return steps
}

// People draws steps as Steps does, in which ingests have further ids, or others.
func People(t *rapid.T, f *ir.File, users []string, most int) []refeval.Action {
	steps := Steps(t, f, users, most)
	for i := range steps {
		if steps[i].Op == refeval.Ingest {
			identify(t, &steps[i], users[0])
		}
	}
	return steps
}

// Erasing draws steps as People does, in which users are erased, by user ids and by anonymous ids.
func Erasing(t *rapid.T, f *ir.File, users []string, most int) []refeval.Action {
	steps := People(t, f, users, most)
	for i := range steps {
		if chance(t, "erase", 8) {
			name := one(t, "erased", users[0], users[0]+"-phone", users[0]+"-laptop", users[len(users)-1])
			if name != users[0] && name != users[len(users)-1] {
				name = "\x01anonymous\x01" + name
			}
			steps[i] = refeval.Action{At: steps[i].At, Op: refeval.Erase, User: name}
		}
	}
	return steps
}

// AnonymousAge draws how long anonymous users stay: short enough for some to expire.
func AnonymousAge(t *rapid.T) time.Duration {
	return one(t, "anonymous age", 20*Hour, 8*Hour, 3*Hour, 30*24*Hour)
}

// IDs draws how many ids a user may have: few enough for some to be detached.
func IDs(t *rapid.T) resolve.Limits {
	return resolve.Limits{Anonymous: upTo(t, "anonymous ids", 1, 2), Emails: 1}
}

// manual returns the manual buckets of some definitions.
func manual(f *ir.File) []string {
	var all []string
	for _, d := range f.Definitions {
		if d.Kind == ir.Manual {
			all = append(all, d.ID)
		}
	}
	return all
}

func anyStep(t *rapid.T, now time.Time, user string, users, manual []string) refeval.Action {
	s := refeval.Action{At: now, User: user}
	kind := upTo(t, "kind", 0, 99)
	switch {
	case kind < 72 || kind < 83 && len(manual) == 0:
		s = Event(t, now, user)
		if chance(t, "wrong", 2) {
			s.Name = one(t, "wrong name", "bucket:entered:x", "a\x00", " \t")
		}
	case kind < 78:
		s.Op, s.Bucket = refeval.Add, one(t, "bucket", manual...)
	case kind < 83:
		s.Op, s.Bucket = refeval.Remove, one(t, "bucket", manual...)
	case kind < 87:
		s.Op = refeval.Delete
	case kind < 92:
		s.Op = refeval.Restore
	case kind < 95:
		s.Op, s.Into = refeval.Merge, one(t, "into", users...)
	default:
		s.Op, s.User = refeval.Settle, ""
	}
	return s
}

// identify gives an ingest further ids, or others instead of the user id: of three devices, which
// users share, and of two e-mail addresses. The ids are those of one case, as the name is.
func identify(t *rapid.T, s *refeval.Action, of string) {
	device := of + one(t, "device", "-phone", "-laptop", "-tablet")
	switch kind := upTo(t, "ids", 0, 99); {
	case kind < 55:
	case kind < 75:
		s.Anonymous = device
	case kind < 90:
		s.User, s.Anonymous = "", device
	case kind < 95:
		s.Email = one(t, "email", of, " "+strings.ToUpper(of), of+"-home") + "@example.org"
	default:
		s.User, s.Email, s.Anonymous = "", of+"@example.org", one(t, "with a device", "", device)
	}
	s.Untrusted = s.Email == "" && chance(t, "untrusted", 30)
}

// Event draws an ingest.
func Event(t *rapid.T, now time.Time, user string) refeval.Action {
	s := refeval.Action{At: now, Op: refeval.Ingest, User: user}
	s.Name = one(t, "name", "a", "b", "c", "a", "other", "")
	if s.Name == "" || chance(t, "traits", 20) {
		s.Traits = object(t, now)
	}
	if chance(t, "traits once", 15) {
		s.TraitsOnce = object(t, now)
		if chance(t, "nothing else", 50) {
			s.Traits = nil
		}
	}
	if chance(t, "properties", 60) {
		s.Properties = payload(t, now)
		s.TraitsOnly = chance(t, "traits only", 15)
	}
	switch kind := upTo(t, "occurred", 0, 99); {
	case kind < 60:
	case kind < 90:
		s.OccurredAt = now.Add(-one(t, "ago", spans...))
	case kind < 95:
		s.OccurredAt = now.Add(time.Minute) // the clocks differ
	case kind < 97:
		s.OccurredAt = now.Add(time.Hour)
	}
	s.Key = one(t, "key", "", "", "", "", "k1", "k2", "")
	return s
}

// orders are the values of the payload property that sequences go by.
var orders = []string{`"x"`, `"x"`, `"y"`, `"z"`, `5`, `null`, `["x"]`}

// payload draws properties of an event, which mostly have an order.
func payload(t *rapid.T, now time.Time) []byte {
	raw := object(t, now)
	if !chance(t, "order", 80) {
		return raw
	}
	order := `{"order":` + one(t, "of order", orders...)
	if string(raw) == "{}" {
		return []byte(order + "}")
	}
	return append([]byte(order+","), raw[1:]...)
}

// object draws properties or traits.
func object(t *rapid.T, now time.Time) []byte {
	var members []string
	seen := map[string]bool{}
	for range upTo(t, "members", 0, 2) {
		key := one(t, "member", keys...)
		if seen[key] {
			continue
		}
		seen[key] = true
		value := valueFor(t, key, now)
		members = append(members, fmt.Sprintf("%q:%s", key, value))
	}
	return []byte("{" + strings.Join(members, ",") + "}")
}

// valueFor draws a value of a property, as JSON, mostly one that its type has.
func valueFor(t *rapid.T, key string, now time.Time) string {
	value := one(t, "value", values...)
	switch key {
	case "plan", "vip":
		return one(t, "of few", `"pro"`, `"free"`, `"5"`, `null`, `["pro", "free"]`, `"PRO"`, value, value) // so that they come and go
	case "trial", "since":
		return instant(t, now, value)
	case "tags":
		return one(t, "list", `["pro"]`, `[]`, `["pro", "free"]`, `["5", "", "Professional"]`, `[5, "pro", null]`, `{"0": "pro"}`, `"pro"`, `null`, value)
	case "at":
		if chance(t, "no object", 15) {
			return value
		}
		return fmt.Sprintf(`{"plan": %s, "trial": %s, "seats": 5, "tags": ["pro"], "in": %s}`, value, instant(t, now, value), one(t, "in",
			`null`, `{"seats": 5, "tags": ["pro"]}`, `{"seats": "5", "tags": "pro"}`, `{"seats": 1}`, `[{"seats": 5}]`, `{"tags": []}`))
	}
	if chance(t, "time", 5) {
		return instant(t, now, value)
	}
	return value
}

// instant draws an instant around now, as people write it, or now and then what is no instant.
func instant(t *rapid.T, now time.Time, otherwise string) string {
	at := now.Add(time.Duration(one(t, "hours", 0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 24, -24, 24*7, -24*31)) * Hour).Truncate(Hour)
	switch kind := upTo(t, "written", 0, 99); {
	case kind < 60:
		return at.Format(`"` + time.RFC3339Nano + `"`)
	case kind < 75:
		return at.In(time.FixedZone("", 5*3600+1800)).Format(`"` + time.RFC3339Nano + `"`)
	case kind < 85:
		return at.Add(999 * time.Nanosecond).Format(`"` + time.RFC3339Nano + `"`) // a part of a microsecond
	case kind < 90:
		return one(t, "no instant", `"2026-01-01T03:00:00"`, `"2026-01-01 03:00:00Z"`, `"2026-01-01T3:00:00Z"`, `"2026-01-01T03:00:00,5Z"`, `"2026-02-30T00:00:00Z"`)
	default:
		return otherwise
	}
}

// Replay draws events of some users in the order in which they are replayed: each happens when it
// occurred, or is late and happens when the one before it did.
func Replay(t *rapid.T, users []string, most int) []refeval.Action {
	now := Start
	steps := make([]refeval.Action, 0, most)
	for i := range upTo(t, "steps", 1, most) {
		late := i > 0 && chance(t, "late", 25)
		if !late {
			now = now.Add(one(t, "pause", pauses...))
		}
		s := Event(t, now, one(t, "user", users...))
		s.OccurredAt = now
		if late {
			s.OccurredAt = now.Add(-one(t, "ago", spans...))
		}
		steps = append(steps, s)
	}
	return steps
}
