package engine_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/gen/db"
)

// TestLeasesGoByTheDatabase has a process whose clock is an hour ahead beside one that is at a
// delivery: it does not take that as long as its lease lasts by the clock of the database.
func TestLeasesGoByTheDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	called, done := make(inbox, 10), make(chan struct{})
	one := engine.Config{NoClock: true, DeliveryPoll: 2 * time.Millisecond, DeliveryWorkers: 1}
	e := startEngine(t, w.pool, w.registry, one, func(e *engine.Engine) {
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "in", Func: func(_ context.Context, tr engine.Transition) error {
			called <- tr
			<-done
			return nil
		}}))
	})
	ingestAll(t, e, []engine.Event{{UserID: "ada", Traits: map[string]any{"plan": "pro"}}})
	equal(t, "first", called.next(t).UserID, "ada")
	ahead := one
	ahead.Now = func() time.Time { return time.Now().Add(time.Hour) }
	other := make(inbox, 10)
	startEngine(t, w.pool, w.registry, ahead, func(e *engine.Engine) {
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "in", Func: other.handle}))
	})
	for _, user := range []string{"bob", "cy"} {
		ingestAll(t, e, []engine.Event{{UserID: user, Traits: map[string]any{"plan": "pro"}}})
		equal(t, "of the other process", other.next(t).UserID, user)
	}
	close(done)
	eventually(t, func() bool { return w.count("select count(*) from bucketgen.deliveries") == 0 })
	equal(t, "called again", []int{len(called), len(other)}, []int{0, 0})
}

// TestContextEndsWithTheLease keeps the lease of a handler that takes long, until another process
// takes it: then its context ends.
func TestContextEndsWithTheLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	called, cause := make(chan context.Context, 1), make(chan error, 1)
	e := startEngine(t, w.pool, w.registry, engine.Config{NoClock: true, DeliveryPoll: 2 * time.Millisecond, Lease: 3 * time.Second}, func(e *engine.Engine) {
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "in", Func: func(ctx context.Context, _ engine.Transition) error {
			called <- ctx
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return nil
		}}))
	})
	ingestAll(t, e, []engine.Event{{UserID: "ada", Traits: map[string]any{"plan": "pro"}}})
	<-called
	until := func() (at time.Time) {
		must(t, w.pool.QueryRow(t.Context(), "select leased_until from bucketgen.deliveries").Scan(&at))
		return at
	}
	first := until()
	eventually(t, func() bool { return until().After(first) }) // it is kept
	execSQL(t, w, "update bucketgen.deliveries set lease = gen_random_uuid(), leased_until = now() + interval '1 hour'")
	if err := <-cause; !errors.Is(err, engine.ErrLeaseLost) {
		t.Errorf("the context ended by %v, want %v", err, engine.ErrLeaseLost)
	}
	stop(t, e)
	equal(t, "what another process has", w.count("select count(*) from bucketgen.deliveries"), 1)
}

// TestFencesGrow delivers a transition three times, and then the next.
func TestFencesGrow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	var calls atomic.Int64
	fences := make(chan int64, 10)
	e := w.start(fast, func(e *engine.Engine) {
		must(t, e.OnTransition(w.ref("pro"), engine.TransitionHandler{Name: "all", Func: func(_ context.Context, tr engine.Transition) error {
			fences <- tr.Fence
			if calls.Add(1) < 3 {
				return errors.New("not now")
			}
			return nil
		}}))
	})
	w.identify("ada", map[string]any{"plan": "pro"})
	w.identify("ada", map[string]any{"plan": "free"})
	var got []int64
	for n := range 4 {
		got = append(got, <-fences)
		if n < 2 {
			eventually(t, func() bool { return e.Stats().Failed == int64(n+1) })
			w.clock.Advance(10 * time.Second)
		}
	}
	for i, fence := range got {
		if fence < 1 || i > 0 && fence <= got[i-1] {
			t.Errorf("got fences %v, want each above the one before", got)
		}
	}
}

// TestOneHandlerOfJoinsAndLeaves fails the joins of users once: their leaves wait for that, unlike
// those of a handler of leaves.
func TestOneHandlerOfJoinsAndLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	in := make(inbox, 100)
	failed := map[string]bool{}
	config := fast
	config.DeliveryWorkers = 1
	e := w.start(config, func(e *engine.Engine) {
		must(t, e.OnTransition(w.ref("pro"), engine.TransitionHandler{Name: "all", Func: func(ctx context.Context, tr engine.Transition) error {
			if tr.Kind == engine.Entered && !failed[tr.Key()] {
				failed[tr.Key()] = true
				return errors.New("not now")
			}
			return in.handle(ctx, tr)
		}}))
	})
	w.identify("ada", map[string]any{"plan": "pro"})
	w.identify("ada", map[string]any{"plan": "free"})
	eventually(t, func() bool { return e.Stats().Failed == 1 })
	w.identify("bob", map[string]any{"plan": "pro"})
	eventually(t, func() bool { return e.Stats().Failed == 2 })
	equal(t, "before the second try", len(in), 0)
	w.clock.Advance(2 * time.Second)
	got := map[string][]string{}
	for range 3 {
		tr := in.next(t)
		got[tr.UserID] = append(got[tr.UserID], brief([]engine.Transition{tr})...)
	}
	equal(t, "order", got, map[string][]string{"ada": {"entered pro 1", "left pro 1 by criteria"}, "bob": {"entered pro 1"}})
	fresh, err := engine.New(w.pool, w.registry, fast)
	must(t, err)
	err = fresh.OnTransition(w.ref("pro"), engine.TransitionHandler{Name: "x", Kinds: []engine.Kind{"born"}, Func: in.handle})
	if err == nil || !strings.Contains(err.Error(), `there is no kind "born"`) {
		t.Errorf("got %v", err)
	}
}

// TestMergeTakesMarksAway merges a user whose deliveries are all marked as behind another, but the
// oldest: what moves and what stays is delivered.
func TestMergeTakesMarksAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	g := &target{}
	on := g.on(t, engine.Forwarder{Name: "out", Subscriptions: everything("all")})
	w.keep(on)
	for range 3 {
		w.identify("visitor-1", map[string]any{"plan": "pro"})
		w.identify("visitor-1", map[string]any{"plan": "free"})
	}
	w.identify("visitor-1", map[string]any{"plan": "pro"})
	w.identify("ada", map[string]any{"seats": 1})
	now := pgtype.Timestamptz{Time: epoch, Valid: true}
	generation, err := db.New(w.pool).GenerationNo(t.Context())
	must(t, err)
	for w.count("select count(*) from bucketgen.deliveries where behind") < 6 {
		_, err = db.New(w.pool).DeliveriesClaim(t.Context(), db.DeliveriesClaimParams{
			SubscriptionNos: []int32{1}, GenerationNo: generation, PausedNos: []int32{}, Now: now, Until: now, Lease: pgtype.UUID{Valid: true}, Most: 0,
		})
		must(t, err)
	}
	_, err = w.Merge(t.Context(), "visitor-1", "ada")
	must(t, err)
	w.start(fast, on)
	g.has(t, 7)
	eventually(t, w.outboxEmpty)
}
