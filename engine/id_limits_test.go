package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// limited is a world in which users may have few ids.
func limited(t *testing.T, config engine.Config) *world {
	t.Helper()
	visitors := bucket.Define(bucket.Spec{ID: "visitors", Anonymous: bucket.Include, Criteria: visit.Exists()})
	w := &world{t: t, pool: pgtest.New(t), registry: registrytest.Build(t, visitors), clock: newClock(epoch)}
	config.NoClock, config.NoDelivery = true, true
	w.Engine = w.start(config, nil)
	return w
}

// send ingests an event, and returns the codes and fields of its warnings.
func (w *world) send(ev engine.Event) (warnings []string) {
	w.t.Helper()
	ev.Name = "visit"
	result, err := w.Ingest(w.t.Context(), ev)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, warning := range result.Warnings {
		warnings = append(warnings, warning.Code+" "+warning.Field)
	}
	return warnings
}

// ownerOf returns the name of the contact that an id leads to.
func (w *world) ownerOf(kind, value string) string {
	w.t.Helper()
	ids, err := w.People().IDs(w.t.Context(), engine.By(kind, value))
	if err != nil {
		w.t.Fatal(err)
	}
	return ids[0].Value
}

// TestAnonymousIDsAreBounded gives a user more anonymous ids than they may have: the one that was
// seen on the earliest day is that of a new contact when it comes again.
func TestAnonymousIDsAreBounded(t *testing.T) {
	t.Parallel()
	w := limited(t, engine.Config{MaxAnonymousIDs: 3})
	for _, id := range []string{"a1", "a2", "a3", "a1", "a4"} { // each on a day of its own
		w.send(engine.Event{UserID: "ada", AnonymousID: id})
		w.clock.Advance(24 * time.Hour)
	}
	w.send(engine.Event{AnonymousID: "a2"})
	for id, want := range map[string]string{"a1": "ada", "a2": "a2", "a3": "ada", "a4": "ada"} {
		equal(t, id, w.ownerOf(engine.KindAnonymous, id), want)
	}
	equal(t, "warnings", len(w.send(engine.Event{UserID: "ada", AnonymousID: "a2"})), 0)
	equal(t, "a2, once the user signed in there", w.ownerOf(engine.KindAnonymous, "a2"), "ada")
	equal(t, "anonymous ids", w.count("select count(*) from bucketgen.identities where kind = 'anonymous'"), 3)
	for _, id := range []string{"b1", "b2", "b3"} {
		w.clock.Advance(24 * time.Hour)
		w.send(engine.Event{UserID: "ada", AnonymousID: id})
	}
	equal(t, "detached", w.count("select count(*) from bucketgen.contacts where user_id ~ 'a2.'"), 2) // with and without a past
	w.erase("ada")
	equal(t, "contacts that no one deletes", w.count("select count(*) from bucketgen.contacts where erase_at is null"), 0)
}

// TestDefaultLimitOfAnonymousIDs gives a user one anonymous id more than 100.
func TestDefaultLimitOfAnonymousIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	for i := range 101 {
		w.send(engine.Event{UserID: "ada", AnonymousID: fmt.Sprintf("a%03d", i)})
		w.clock.Advance(time.Minute)
	}
	equal(t, "anonymous ids", w.count("select count(*) from bucketgen.identities"), 100)
	equal(t, "the first", w.count("select count(*) from bucketgen.identities where value = 'a000'"), 0)
}

// TestFurtherIDsAreBounded gives a user more e-mail addresses, and more ids of declared kinds, than
// they may have. A further one stays without the user, also if it is that of a lead by now.
func TestFurtherIDsAreBounded(t *testing.T) {
	t.Parallel()
	w := limited(t, engine.Config{IDKinds: map[string]int{"crm": 0, "card": 2}})
	email := func(i int) string { return fmt.Sprintf("e%d@example.org", i) }
	for i := range 5 {
		equal(t, "warnings", len(w.send(engine.Event{UserID: "ada", Email: email(i)})), 0)
	}
	equal(t, "a sixth", w.send(engine.Event{UserID: "ada", Email: email(5)}), []string{bucketgen.WarningIDLimit + " email"})
	w.send(engine.Event{Email: email(5)})
	equal(t, "the sixth", w.ownerOf(engine.KindEmail, email(5)), email(5))
	equal(t, "a sixth of a lead", w.send(engine.Event{UserID: "ada", Email: email(5)}), []string{bucketgen.WarningIDLimit + " email"})
	equal(t, "the sixth", w.ownerOf(engine.KindEmail, email(5)), email(5))
	for _, test := range []struct {
		kind, value string
		want        []string
	}{
		{"crm", "1", nil},
		{"crm", "1", nil},
		{"crm", "2", []string{bucketgen.WarningIDLimit + " ids.crm"}},
		{"card", "1", nil},
		{"card", "2", nil},
		{"card", "3", []string{bucketgen.WarningIDLimit + " ids.card"}},
	} {
		equal(t, test.kind+" "+test.value, w.send(engine.Event{UserID: "ada", IDs: map[string]string{test.kind: test.value}}), test.want)
	}
}

// TestSeenOncePerDay sends events with a user id and an anonymous id: from the second of a day on,
// they take the statements of events with a user id alone.
func TestSeenOncePerDay(t *testing.T) {
	t.Parallel()
	count := &tally{}
	c := newClock(epoch)
	pool := traced(t, count)
	e := startEngine(t, pool, registrytest.Build(t, regulars), engine.Config{Now: c.Now, VirtualTime: true, NoClock: true, NoDelivery: true, Flushers: 1, DeployPoll: time.Hour}, nil)
	send := func(anonymous string) [2]int {
		count.take()
		ingestAll(t, e, []engine.Event{{UserID: "ada", AnonymousID: anonymous, Name: "visit"}})
		trips, statements := count.take()
		return [2]int{trips, statements}
	}
	for range 3 { // until all is cached
		send("")
	}
	send("phone")
	for day := range 3 {
		for range 3 { // until all of the day is cached
			send("phone")
			send("")
		}
		alone, both := send(""), send("phone")
		for range 20 { // now and then the engine asks for something else meanwhile
			alone, both = fewer(alone, send("")), fewer(both, send("phone"))
		}
		equal(t, "with a known anonymous id", both, alone)
		seen, n := "", 0
		must(t, pool.QueryRow(t.Context(), "select (seen_at at time zone 'UTC')::text from bucketgen.identities").Scan(&seen))
		equal(t, "seen", seen, c.Now().UTC().Format(time.DateOnly)+" 00:00:00")
		c.Advance(24 * time.Hour)
		must(t, pool.QueryRow(t.Context(), "select count(*) from bucketgen.identities").Scan(&n))
		equal(t, "ids", n, 1)
		if got := send("phone"); got[1] <= alone[1] {
			t.Errorf("day %d: the first event takes %v, no more than %v", day+1, got, alone)
		}
	}
}

// fewer returns the smaller of each of two numbers.
func fewer(a, b [2]int) [2]int { return [2]int{min(a[0], b[0]), min(a[1], b[1])} }
