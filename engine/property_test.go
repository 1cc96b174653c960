package engine_test

import (
	"testing"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// TestPropertyHistory checks that what a property was before, and since when it is what it is, is
// known to every reader: an engine that remembers the user, one that has to read, and the clock.
func TestPropertyHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(
		t,
		bucket.Define(bucket.Spec{ID: "loyal", Criteria: plan.HasBeen("pro", 3*bucket.Hour)}),
		bucket.Define(bucket.Spec{ID: "upgraded", Criteria: bucket.All(plan.Changed().From("free").To("pro").Within(bucket.Hour), seats.AtLeast(2))}),
	)
	one, other := w.Engine, w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
	turns := map[string]func(){
		"1": func() {},                                           // one engine remembers all
		"2": func() { w.Engine, one, other = other, other, one }, // each has to read what the other has done
	}
	for _, n := range []string{"1", "2"} {
		user, turn := "ada", turns[n]
		w.identify(user, map[string]any{"plan": "free", "seats": 1})
		w.clock.Advance(bucket.Minute)
		turn()
		equal(t, "pro with one seat", w.identify(user, map[string]any{"plan": "pro"}), []string{})
		w.clock.Advance(bucket.Minute)
		turn()
		equal(t, "pro again", w.identify(user, map[string]any{"plan": "pro"}), []string{})
		turn()
		equal(t, "another seat", w.identify(user, map[string]any{"seats": 2}), []string{"entered upgraded " + n})
		w.clock.Advance(bucket.Hour - 2*bucket.Minute)
		turn()
		w.settle()
		equal(t, "within the hour", w.has("upgraded", user), true)
		w.clock.Advance(bucket.Minute)
		turn()
		w.settle()
		equal(t, "after an hour", w.has("upgraded", user), false)
		equal(t, "a third seat", w.identify(user, map[string]any{"seats": 3}), []string{})
		w.clock.Advance(2*bucket.Hour - bucket.Second)
		turn()
		w.settle()
		equal(t, "not for long enough", w.has("loyal", user), false)
		w.clock.Advance(bucket.Second)
		turn()
		w.settle()
		equal(t, "for three hours", w.has("loyal", user), true)
		equal(t, "still pro", w.identify(user, map[string]any{"plan": "pro", "seats": 1}), []string{})
		turn()
		equal(t, "free again", w.identify(user, map[string]any{"plan": "free"}), []string{"left loyal " + n + " by criteria"})
	}
}

// TestPathsAndSources checks what is stored of objects, and that payloads are no source of what
// only traits set.
func TestPathsAndSources(t *testing.T) {
	t.Parallel()
	city, tags, role := bucket.Text("address").At("geo", "city"), bucket.List("tags"), bucket.Text("role").TraitsOnly()
	w := newWorld(
		t,
		bucket.Define(bucket.Spec{ID: "osloites", Criteria: city.Is("Oslo")}),
		bucket.Define(bucket.Spec{ID: "visitors", Criteria: bucket.All(visit.Exists(), city.In("Oslo", "Bergen"), tags.Has("vip"))}),
		bucket.Define(bucket.Spec{ID: "admins", Criteria: role.Is("admin")}),
	)
	address := func(city string) map[string]any {
		return map[string]any{"address": map[string]any{"geo": map[string]any{"city": city}, "zip": "0150"}}
	}
	equal(t, "Oslo", w.identify("ada", address("Oslo")), []string{"entered osloites 1"})
	equal(t, "Oslo again", w.identify("ada", address("Oslo")), []string{})
	equal(t, "a visit", w.track("ada", "visit"), []string{})
	equal(t, "a payload with tags", w.ingest(engine.Event{UserID: "ada", Name: "other", Properties: map[string]any{"tags": []string{"a", "vip"}}}), []string{"entered visitors 1"})
	other := w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
	w.Engine = other // which has to read what is stored
	equal(t, "Bergen", w.ingest(engine.Event{UserID: "ada", Name: "moved", Properties: address("Bergen")}), []string{"left osloites 1 by criteria"})
	equal(t, "no object", w.identify("ada", map[string]any{"address": "Oslo"}), []string{"left visitors 1 by criteria"})

	equal(t, "a payload", w.ingest(engine.Event{UserID: "ada", Name: "login", Properties: map[string]any{"role": "admin"}}), []string{})
	equal(t, "what is stored of it", w.count("select count(*) from bucketgen.contacts where properties ? 'role'"), 0)
	equal(t, "traits", w.identify("ada", map[string]any{"role": "admin"}), []string{"entered admins 1"})
	equal(t, "another payload", w.ingest(engine.Event{UserID: "ada", Name: "login", Properties: map[string]any{"role": "user"}}), []string{})
}
