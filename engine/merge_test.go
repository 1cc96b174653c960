package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

func (w *world) merge(from, into string) []string {
	w.t.Helper()
	made, err := w.Merge(w.t.Context(), from, into)
	if err != nil {
		w.t.Fatal(err)
	}
	return brief(made)
}

// TestMerge makes a visitor the user who signs up: what both did counts together, what both are
// known for too, and what is the same as before is not announced. From then on each name is as good
// as the other.
func TestMerge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars, dormant, proBuyers, testers)
	w.identify("anon", map[string]any{"plan": "pro", "seats": 3})
	w.track("anon", "visit")
	w.track("anon", "purchase")
	if _, err := w.Add(t.Context(), w.manual("testers"), "anon"); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Minute)
	w.identify("ada", map[string]any{"seats": 5})
	w.track("ada", "visit")
	equal(t, "the merge", w.merge("anon", "ada"), []string{"entered regulars 1"})
	for _, id := range []string{"pro", "regulars", "pro-buyers", "testers"} {
		for _, name := range []string{"anon", "ada"} {
			if !w.has(id, name) {
				t.Errorf("%s is not in %s", name, id)
			}
			had, err := w.HasAt(t.Context(), w.ref(id), name, w.clock.Now())
			if err != nil || !had {
				t.Errorf("%s was not in %s now: %v", name, id, err)
			}
		}
		for m, err := range w.Members(t.Context(), w.ref(id)) {
			if err != nil || m.UserID != "ada" {
				t.Errorf("got member %v of %s, %v", m, id, err)
			}
		}
	}
	history := []string{"entered pro 1", "entered pro-buyers 1", "entered testers 1", "entered regulars 1"}
	equal(t, "what happened to ada", w.history("ada"), history)
	equal(t, "what happened to anon", w.history("anon"), history)
	equal(t, "leaving by the old name", w.identify("anon", map[string]any{"plan": "free"}), []string{"left pro 1 by criteria", "left pro-buyers 1 by criteria"})
	made, err := w.Remove(t.Context(), w.manual("testers"), "anon")
	if err != nil || len(made) != 1 || made[0].UserID != "ada" {
		t.Errorf("removing by the old name came to %v, %v", made, err)
	}
	x, err := w.Explain(t.Context(), w.ref("regulars"), "anon")
	if err != nil || !x.Member || x.UserID != "ada" {
		t.Errorf("the old name is explained as %q, a member: %t, %v", x.UserID, x.Member, err)
	}
	if n := w.count("select (properties ->> 'seats')::int from bucketgen.contacts where user_id = 'ada'"); n != 5 {
		t.Errorf("ada has %d seats, want their own 5", n)
	}
}

// TestMergeNames gives users one name after the other.
func TestMergeNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	w.track("a", "visit")
	equal(t, "a into b, who is unknown", w.merge("a", "b"), []string{})
	equal(t, "b into c, who is known", func() []string { w.track("c", "other"); return w.merge("b", "c") }(), []string{})
	equal(t, "a into c, whose name it is", w.merge("a", "c"), []string{})
	equal(t, "c into a, who is c", w.merge("c", "a"), []string{})
	equal(t, "d, who is unknown, into a", w.merge("d", "a"), []string{})
	equal(t, "a visit of d", w.track("d", "visit"), []string{"entered regulars 1"})
	equal(t, "who is in it", slices.Collect(w.members("regulars")), []string{"c"})
	if err := w.Delete(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Merge(t.Context(), "e", "d"); !errors.Is(err, engine.ErrDeleted) {
		t.Errorf("merging into who is deleted gave %v", err)
	}
	if n := w.count("select count(*) from bucketgen.contacts where user_id = 'e'"); n != 0 {
		t.Error("a merge that was refused has created a user")
	}
	if _, err := w.Restore(t.Context(), "a"); err != nil || !w.has("regulars", "b") {
		t.Errorf("c is not restored by their oldest name: %v", err)
	}
	for name, is := range map[string]string{"a": "c", "d": "c", "c": "c", "x": "x"} {
		if got, err := w.Users().CanonicalID(t.Context(), name); err != nil || got != is {
			t.Errorf("%s is %s, %v; want %s", name, got, err, is)
		}
	}
	var invalid *engine.InvalidError
	if _, err := w.Merge(t.Context(), "a", " "); !errors.As(err, &invalid) || invalid.Field != "into" {
		t.Errorf("merging into a blank id gave %v", err)
	}
}

// members goes through the ids of the members of a bucket.
func (w *world) members(id string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for m, err := range w.Members(w.t.Context(), w.ref(id)) {
			if err != nil {
				w.t.Fatal(err)
			}
			if !yield(m.UserID) {
				return
			}
		}
	}
}

// TestMergeWhoIsGone merges a user into one whose row was deleted by hand, and whom the engine has
// still cached.
func TestMergeWhoIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	w.identify("anon", map[string]any{"plan": "pro"})
	w.track("ada", "visit")
	w.track("ada", "visit")
	if _, err := w.pool.Exec(t.Context(), "delete from bucketgen.contacts where user_id = 'ada'"); err != nil {
		t.Fatal(err)
	}
	w.merge("anon", "ada")
	if !w.has("pro", "ada") {
		t.Error("ada, who is anon, is not pro")
	}
}

// TestMergeElsewhere merges users whom another engine remembers altogether, each by several events
// of theirs: what comes there by the old name, alone, beside the new one, or in a caller's
// transaction, is the survivor's, in the given order.
func TestMergeElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	other := w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
	ingest := func(events ...engine.Event) []string {
		t.Helper()
		results, err := other.IngestBatch(t.Context(), events)
		if err != nil {
			t.Fatal(err)
		}
		all := []string{}
		for _, r := range results {
			for _, made := range r.Transitions {
				if made.UserID != "ada" {
					t.Errorf("it happened to %s", made.UserID)
				}
			}
			all = append(all, brief(r.Transitions)...)
		}
		return all
	}
	names := []string{"zoe", "ann", "bea"}
	for range 4 {
		for _, name := range append(names, "ada") {
			if _, err := other.Ingest(t.Context(), engine.Event{UserID: name, Traits: map[string]any{"plan": "free"}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range names {
		w.merge(name, "ada")
	}
	equal(t, "two names in a batch", ingest(
		engine.Event{UserID: "zoe", Traits: map[string]any{"plan": "pro"}},
		engine.Event{UserID: "ada", Traits: map[string]any{"plan": "free"}},
		engine.Event{UserID: "zoe", Traits: map[string]any{"plan": "pro"}},
	), []string{"entered pro 1", "left pro 1 by criteria", "entered pro 2"})
	tx, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	results, err := other.IngestTx(t.Context(), tx, engine.Event{UserID: "ann", Traits: map[string]any{"plan": "free"}})
	if err := errors.Join(err, tx.Commit(t.Context())); err != nil {
		t.Fatal(err)
	}
	equal(t, "in a transaction", brief(results[0].Transitions), []string{"left pro 2 by criteria"})
	equal(t, "alone", ingest(engine.Event{UserID: "bea", Traits: map[string]any{"plan": "pro"}}), []string{"entered pro 3"})
	equal(t, "who is in it", slices.Collect(w.members("pro")), []string{"ada"})
}

// TestMergeProperties merges users who both had properties: the newer value counts, with its dates.
func TestMergeProperties(t *testing.T) {
	t.Parallel()
	loyal := bucket.Define(bucket.Spec{ID: "loyal", Criteria: plan.HasBeen("pro", 2*bucket.Hour)})
	turned := bucket.Define(bucket.Spec{ID: "turned", Criteria: seats.Changed().From(1).To(2).Within(bucket.Day)})
	w := newWorld(t, loyal, turned)
	w.identify("ada", map[string]any{"plan": "free", "seats": 3, "theme": "dark"})
	w.identify("ada", map[string]any{"plan": nil})
	w.clock.Advance(time.Second)
	w.identify("anon", map[string]any{"plan": "pro", "seats": 1, "theme": "light", "lang": "de"})
	w.identify("anon", map[string]any{"seats": 2})
	w.clock.Advance(time.Hour)
	w.merge("anon", "ada")
	equal(t, "what happened", w.history("ada"), []string{"entered turned 1"})
	w.clock.Advance(time.Hour)
	w.settle()
	if !w.has("loyal", "ada") {
		t.Error("ada is not loyal since anon was pro")
	}
	properties := "select count(*) from bucketgen.contacts where user_id = 'ada' and properties = $1"
	equal(t, "properties", w.count(properties, `{"plan": "pro", "seats": 2, "theme": "dark", "lang": "de"}`), 1)

	w.identify("ada", map[string]any{"plan": nil})
	w.ingest(engine.Event{UserID: "old", Traits: map[string]any{"plan": "pro", "seats": 4}, OccurredAt: w.clock.Now().Add(-time.Hour)})
	w.merge("old", "ada")
	equal(t, "properties", w.count(properties, `{"seats": 4, "theme": "dark", "lang": "de"}`), 1) // what was removed later stays so
}

// TestMergeDelivers merges users while what happened to them waits to be delivered: what is about a
// stay that is the survivor's now comes by their name and in order, the rest by the name under
// which it happened, and the merge itself is not announced.
func TestMergeDelivers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, testers)
	hear := func(in inbox) func(*engine.Engine) {
		return func(e *engine.Engine) {
			must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "entered", Func: in.handle}))
			must(t, e.OnLeave(w.ref("pro"), engine.LeaveHandler{Name: "left", Func: in.handle}))
			must(t, e.OnEnter(w.ref("testers"), engine.EnterHandler{Name: "testing", Func: in.handle}))
			must(t, e.OnLeave(w.ref("testers"), engine.LeaveHandler{Name: "no more", Func: in.handle}))
		}
	}
	w.start(engine.Config{NoClock: true, NoDelivery: true}, hear(nil)) // so that there are subscriptions
	for _, to := range []string{"pro", "free", "pro"} {
		w.identify("anon", map[string]any{"plan": to})
	}
	for _, user := range []string{"anon", "ada"} {
		if _, err := w.Add(t.Context(), w.manual("testers"), user); err != nil {
			t.Fatal(err)
		}
	}
	w.merge("anon", "ada")
	w.identify("anon", map[string]any{"plan": "free"})
	in := make(inbox, 100)
	w.start(fast, hear(in))
	var got []string
	for range 6 {
		got = append(got, in.next(t).Key())
	}
	slices.Sort(got)
	equal(t, "what was delivered", got, []string{
		"bucket:pro:ada:entered:1", "bucket:pro:ada:left:1", "bucket:pro:anon:entered:1", "bucket:pro:anon:left:1",
		"bucket:testers:ada:entered:1", "bucket:testers:anon:entered:1",
	})
	eventually(t, func() bool { return w.count("select count(*) from bucketgen.deliveries") == 0 })
	if len(in) > 0 {
		t.Errorf("%v was delivered, too", in.next(t))
	}
}

// TestMergeTimers lets a timer expire that was started by the old name, for a stay that is the
// survivor's by then.
func TestMergeTimers(t *testing.T) {
	t.Parallel()
	w, started := newTimedWorld(t, recent)
	w.track("anon", "visit")
	a := started.next(t)
	w.merge("anon", "ada")
	w.clock.Advance(time.Hour)
	if came := w.expire(a); came != engine.ExpiryLeft {
		t.Errorf("the timer came to %q, want %q", came, engine.ExpiryLeft)
	}
	equal(t, "what happened", w.history("ada"), []string{"entered recent 1", "left recent 1 by criteria"})
}

// all notes the names of all statements, also of those that are sent alone.
type all struct{ eavesdropper }

func (a *all) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	a.mu.Lock()
	defer a.mu.Unlock()
	if name := nameOf.FindStringSubmatch(data.SQL); name != nil {
		a.names = append(a.names, name[1])
	}
	return ctx
}

// TestMergeCostsOthersNothing checks the queries for events after a merge: names are looked up for
// the merged user, the first time that an engine meets the old name, and for no other user.
func TestMergeCostsOthersNothing(t *testing.T) {
	t.Parallel()
	sent := &all{}
	pool := traced(t, sent)
	r, c := registrytest.Build(t, pro, regulars), newClock(epoch)
	start := func() *engine.Engine {
		return startEngine(t, pool, r, engine.Config{Now: c.Now, VirtualTime: true, NoClock: true, NoDelivery: true, DeployPoll: time.Hour}, nil)
	}
	merging, e := start(), start()
	if _, err := merging.Merge(t.Context(), "anon", "ada"); err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		user   string
		looked int
	}{{"bob", 0}, {"bob", 0}, {"ada", 0}, {"anon", 1}, {"anon", 0}, {"ada", 0}, {"cyd", 0}} {
		sent.take()
		if _, err := e.Ingest(t.Context(), engine.Event{UserID: step.user, Name: "visit"}); err != nil {
			t.Fatal(err)
		}
		names := sent.take()
		looked := 0
		for _, name := range names {
			if name == "IdentitiesOf" {
				looked++
			}
		}
		if looked != step.looked || !slices.Contains(names, "EventsInsert") {
			t.Errorf("step %d, of %s: sent %v, with %d lookups of names; want %d", i, step.user, names, looked, step.looked)
		}
	}
}

// TestMergeNeedsWhatIsDeployed asks an engine that has other definitions than those that are
// deployed.
func TestMergeNeedsWhatIsDeployed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	w.track("anon", "visit")
	other := startEngine(t, w.pool, registrytest.Build(t, pro, regulars), engine.Config{
		NoClock: true, NoDelivery: true, Now: w.clock.Now, Logger: slog.New(slog.DiscardHandler),
	}, nil)
	if _, err := other.Merge(t.Context(), "anon", "ada"); !errors.Is(err, engine.ErrNotDeployed) {
		t.Errorf("got %v, want %v", err, engine.ErrNotDeployed)
	}
	if n := w.count("select count(*) from bucketgen.contacts"); n != 1 {
		t.Errorf("there are %d users, want 1", n)
	}
}

// TestMergeWhileADeliveryIsMade merges a user while a handler of their join runs: it is called
// again with the other name, as soon as the first call returns.
func TestMergeWhileADeliveryIsMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	calls, heard := make(inbox, 10), make(chan struct{})
	config := fast
	config.Lease = time.Hour
	e := w.start(config, func(e *engine.Engine) {
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "in", Func: func(_ context.Context, tr engine.Transition) error {
			calls <- tr
			<-heard
			return nil
		}}))
	})
	w.identify("visitor", map[string]any{"plan": "pro"})
	equal(t, "the first", calls.next(t).UserID, "visitor")
	_, err := e.Merge(t.Context(), "visitor", "ada")
	must(t, err)
	eventually(t, func() bool { // it is leased once more, though it is under way
		return w.count("select count(*) from bucketgen.deliveries d join bucketgen.contacts c on c.id = d.contact_id where c.user_id = 'ada' and d.lease is not null") == 1
	})
	close(heard)
	equal(t, "the second", calls.next(t).UserID, "ada")
	eventually(t, func() bool { return w.count("select count(*) from bucketgen.deliveries") == 0 })
}

// TestMergeWhereNothingMoves merges users who are in buckets that are paused, or not defined any
// more: there, too, one of two stays goes on, and a stay of one becomes the other's.
func TestMergeWhereNothingMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars, testers)
	for _, user := range []string{"anon", "ada"} {
		w.identify(user, map[string]any{"plan": "pro"})
		if _, err := w.Add(t.Context(), w.manual("testers"), user); err != nil {
			t.Fatal(err)
		}
	}
	w.track("anon", "visit")
	w.track("anon", "visit")
	n := w.redefined(testers)
	n.deploy(engine.DeployOptions{})
	must(t, n.Deployments().Pause(t.Context(), n.ref("testers")))
	n.clock.Advance(time.Minute)
	equal(t, "the merge", n.merge("anon", "ada"), []string{})
	back := w.redefined(pro, regulars, testers)
	equal(t, "what happened", back.history("ada"), []string{
		"entered pro 1", "entered testers 1", "entered pro 1", "entered testers 1", "entered regulars 1",
		"left pro 1 by merged suppressed", "left testers 1 by merged suppressed",
	})
	if stays := w.count("select count(*) from bucketgen.memberships m join bucketgen.contacts c on c.id = m.contact_id where c.user_id = 'ada' and m.left_at is null"); stays != 3 {
		t.Errorf("ada has %d stays that last, want 3", stays)
	}
}

// TestMergeByAnotherEngine merges two users by one engine while another remembers the survivor, and
// nothing about the survivor's stays changes: the other counts the loser's events, too.
func TestMergeByAnotherEngine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bucket.Define(bucket.Spec{ID: "busy", Criteria: visit.Within(bucket.Hour).AtLeast(3)}))
	other := w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
	w.track("ada", "visit")
	w.track("bob", "visit")
	if _, err := other.Merge(t.Context(), "bob", "ada"); err != nil {
		t.Fatal(err)
	}
	equal(t, "third visit", w.track("ada", "visit"), []string{"entered busy 1"})
}
