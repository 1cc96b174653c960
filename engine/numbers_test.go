package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// TestNumbersByValue sends numbers in several forms. Whatever distinguishes numbers goes by their
// values: what is distinct, the keys of sequences, and lists of operands.
func TestNumbersByValue(t *testing.T) {
	t.Parallel()
	no, bought := purchase.Number("order_no"), visit.Number("order_no")
	w := newWorld(t,
		bucket.Define(bucket.Spec{ID: "two", Criteria: purchase.Distinct(no).AtLeast(2)}),
		bucket.Define(bucket.Spec{ID: "two-lately", Criteria: purchase.Within(bucket.Week).Distinct(no).AtLeast(2)}),
		bucket.Define(bucket.Spec{ID: "followed", Criteria: purchase.Then(visit).Within(bucket.Day).By(no, bought).Exists()}),
		bucket.Define(bucket.Spec{ID: "listed", Criteria: purchase.Where(no.In(0, 1, 1<<53)).AtLeast(3)}),
		bucket.Define(bucket.Spec{ID: "last", Criteria: no.Of(purchase.Last()).In(0, 1, 1<<53)}),
	)
	for user, forms := range map[string][]string{
		"zero":  {"0", "-0", "-0.0", "0e5", "-1e-400"},
		"one":   {"1", "1.0", "1e0", "10e-1", "0.1e+1"},
		"large": {"9007199254740992", "9007199254740993", "9007199254740992.0", "9.007199254740992e15", "9007199254740992.0000000000000000000000000"},
	} {
		for _, form := range forms {
			for _, name := range []string{"purchase", "visit"} {
				ev := engine.Event{UserID: user, Name: name, PropertiesJSON: []byte(`{"order_no":` + form + `}`)}
				if name == "visit" { // by another form
					ev.PropertiesJSON = []byte(`{"order_no":` + forms[0] + `}`)
				}
				w.clock.Advance(time.Second)
				w.ingest(ev)
			}
		}
		for id, want := range map[string]bool{"two": false, "two-lately": false, "followed": true, "listed": true, "last": true} {
			if got := w.has(id, user); got != want {
				t.Errorf("%s: is in %s: %v, want %v", user, id, got, want)
			}
		}
	}
	equal(t, "groups", w.count("select count(distinct (contact_id, name)) from bucketgen.groups"), 3)
}

// TestSizeOfNumbers fills users with numbers whose exponents PostgreSQL writes out. The bound on
// the bytes of a user is the same for an engine that has the user in its cache and for one that
// reads the table.
func TestSizeOfNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	const most = 1000
	config := engine.Config{NoClock: true, NoDelivery: true, MaxTraitBytes: most}
	first := w.start(config, nil)
	for user, numbers := range map[string]string{
		"list": `[1e300,-1E+300,5e-324]`, "object": `{"a":1e300,"b":[1.5e-300],"c":1e300}`, "scalar": `1e300`, "few": `[1e2,1e0]`,
	} {
		put := func(e *engine.Engine, key string, value []byte) error {
			_, err := e.Ingest(t.Context(), engine.Event{UserID: user, TraitsJSON: slices.Concat([]byte(`{"`+key+`":`), value, []byte(`}`))})
			return err
		}
		must(t, put(first, "other", []byte(`true`))) // the user is read once, and cached from then on
		must(t, put(first, "numbers", []byte(numbers)))
		stored := w.count("select length(regexp_replace(properties::text, ' ', '', 'g')) from bucketgen.contacts where user_id = '" + user + "'")
		for _, room := range []int{8, -8} { // the bound is by rough sizes; only the first is cached as it was sent
			text := []byte(`"` + strings.Repeat("x", most-stored+room-len(`,"text":""`)) + `"`)
			got := map[string]bool{"cached": put(first, "text", text) == nil}
			must(t, put(first, "text", []byte("null")))
			fresh := w.start(config, nil)
			got["read"] = put(fresh, "text", text) == nil
			must(t, put(fresh, "text", []byte("null")))
			equal(t, fmt.Sprintf("%s with %d bytes of room", user, room), got, map[string]bool{"cached": room < 0, "read": room < 0})
		}
	}
}

// TestYearsOfEvents hands over instants that time.Time can hold. The zero time is none.
func TestYearsOfEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	for _, test := range []struct {
		at    time.Time
		taken bool
	}{
		{time.Time{}, true},
		{time.Time{}.Add(time.Microsecond), true},
		{time.Time{}.Add(-time.Microsecond), false},
		{time.Date(1, time.January, 1, 0, 0, 0, 0, time.FixedZone("", 3600)), false},
		{time.Date(-5000, time.January, 1, 0, 0, 0, 0, time.UTC), false},
		{time.Date(10000, time.January, 1, 0, 0, 0, 0, time.UTC), false},
		{time.Date(400000, time.January, 1, 0, 0, 0, 0, time.UTC), false},
	} {
		_, err := w.Ingest(t.Context(), engine.Event{UserID: "ada", Name: "visit", OccurredAt: test.at})
		if (err == nil) != test.taken {
			t.Errorf("%v: got %v, want it taken: %v", test.at, err, test.taken)
		}
		refused := 0
		_, err = w.Replay().Events(t.Context(), func(yield func(engine.Event, error) bool) {
			yield(engine.Event{UserID: "bob", Name: "visit", OccurredAt: test.at}, nil)
		}, engine.ReplayOptions{Refused: func(int64, error) { refused++ }})
		if want := !test.taken || test.at.IsZero(); err != nil || (refused == 1) != want {
			t.Errorf("%v in a replay: got %d refused, %v, want it refused: %v", test.at, refused, err, want)
		}
	}
}
