package engine_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/gen/db"
)

// TestPauseAndResume stops a bucket and lets it go on.
func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	ticking := bucket.Define(bucket.Spec{ID: "ticking", Criteria: plan.Is("pro"), Dwell: []bucket.Tick{bucket.Every(bucket.Hour)}})
	w := newWorld(t, ticking, regulars, testers)
	old := w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
	w.identify("ada", map[string]any{"plan": "pro"})
	w.identify("bob", map[string]any{"plan": "pro"})
	for _, id := range []string{"ticking", "testers"} {
		if err := w.Deployments().Pause(t.Context(), w.ref(id)); err != nil {
			t.Fatal(err)
		}
	}
	result, err := old.Ingest(t.Context(), engine.Event{UserID: "cy", Traits: map[string]any{"plan": "pro"}})
	if err != nil || len(result.Transitions) != 0 {
		t.Errorf("another process lets a user join what is paused: got %v, %v", brief(result.Transitions), err)
	}
	equal(t, "bob", w.identify("bob", map[string]any{"plan": "free"}), []string{})
	if _, err := old.Add(t.Context(), w.manual("testers"), "ada"); !errors.Is(err, engine.ErrPaused) {
		t.Errorf("add to what is paused: got %v", err)
	}
	w.clock.Advance(150 * time.Minute)
	w.settle()
	equal(t, "ada, paused", w.history("ada"), []string{"entered ticking 1"})
	restarted := w.redefined(ticking, regulars, testers)
	equal(t, "after a restart", restarted.identify("dee", map[string]any{"plan": "pro"}), []string{})

	if err := w.Deployments().Resume(t.Context(), w.ref("ticking")); err != nil {
		t.Fatal(err)
	}
	equal(t, "dee", w.track("dee", "visit"), []string{"entered ticking 1 suppressed"})
	w.backfill()
	equal(t, "ada", w.history("ada"), []string{"entered ticking 1", "dwell ticking 1 every-1h#2"})
	equal(t, "bob", w.history("bob"), []string{"entered ticking 1", "left ticking 1 by criteria"})
	equal(t, "cy", w.history("cy"), []string{"entered ticking 1 suppressed"})
	w.clock.Advance(30 * time.Minute)
	w.settle()
	equal(t, "ada goes on", w.history("ada")[2:], []string{"dwell ticking 1 every-1h#3"})
	if err := w.Deployments().Resume(t.Context(), w.ref("ticking")); err != nil {
		t.Errorf("resume again: %v", err)
	}
}

// TestPausedDeliveriesWait pauses a bucket whose transitions wait to be delivered.
func TestPausedDeliveriesWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	delivered := make(inbox, 10)
	handle := func(e *engine.Engine) {
		for _, id := range []string{"pro", "regulars"} {
			if err := e.OnEnter(w.ref(id), engine.EnterHandler{Name: id, Func: delivered.handle}); err != nil {
				t.Fatal(err)
			}
		}
	}
	stop(t, w.start(engine.Config{NoClock: true, NoDelivery: true}, handle)) // so that deliveries are kept
	w.identify("ada", map[string]any{"plan": "pro"})
	if err := w.Deployments().Pause(t.Context(), w.ref("pro")); err != nil {
		t.Fatal(err)
	}
	w.start(engine.Config{NoClock: true}, handle)
	w.track("bob", "visit")
	w.track("bob", "visit")
	if got := delivered.next(t); got.BucketID != "regulars" {
		t.Errorf("delivered %v first, want what is not paused", got)
	}
	equal(t, "waiting", []string{strconv.Itoa(w.count("select count(*) from bucketgen.deliveries d join bucketgen.buckets b on b.no = d.bucket_no where b.id = 'pro'"))}, []string{"1"})
	if err := w.Deployments().Resume(t.Context(), w.ref("pro")); err != nil {
		t.Fatal(err)
	}
	if got := delivered.next(t); got.BucketID != "pro" {
		t.Errorf("delivered %v, want what was paused", got)
	}
}

// TestPauseStopsDeliveriesEverywhere pauses a bucket while another process has a delivery of it
// that failed, and is due again.
func TestPauseStopsDeliveriesEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	delivered, failing := make(inbox, 10), make(chan struct{})
	w.start(engine.Config{NoClock: true}, func(e *engine.Engine) {
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "pro", Func: func(ctx context.Context, tr engine.Transition) error {
			select {
			case <-failing:
				return delivered.handle(ctx, tr)
			default:
				close(failing)
				return errors.New("not yet")
			}
		}}))
		must(t, e.OnEnter(w.ref("regulars"), engine.EnterHandler{Name: "regulars", Func: delivered.handle}))
	})
	w.identify("ada", map[string]any{"plan": "pro"})
	<-failing
	must(t, w.Deployments().Pause(t.Context(), w.ref("pro")))
	eventually(t, func() bool {
		return w.count("select count(*) from bucketgen.deliveries where leased_until is null") == 1
	})
	w.clock.Advance(bucket.Hour)
	w.track("bob", "visit")
	w.track("bob", "visit")
	if got := delivered.next(t); got.BucketID != "regulars" {
		t.Errorf("delivered %v, want what is not paused", got)
	}
	must(t, w.Deployments().Resume(t.Context(), w.ref("pro")))
	if got := delivered.next(t); got.BucketID != "pro" {
		t.Errorf("delivered %v, want what was paused", got)
	}
}

// TestExplainKnowsWhatStandsStill explains a bucket that is paused, and one of which another
// definition is deployed.
func TestExplainKnowsWhatStandsStill(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	w.identify("ada", map[string]any{"plan": "pro"})
	must(t, w.Deployments().Pause(t.Context(), w.ref("pro")))
	n := w.redefined(pro, bucket.Define(bucket.Spec{ID: "regulars", Criteria: visit.Exists()}))
	for id, want := range map[string]string{
		"pro": "nothing, while the bucket is paused", "regulars": "nothing, until this definition is deployed",
	} {
		x, err := n.Explain(t.Context(), n.ref(id), "ada")
		if err != nil {
			t.Fatal(err)
		}
		if x.Paused != (id == "pro") || x.Other == x.Paused || !strings.Contains(x.String(), want) {
			t.Errorf("%s: paused %t, another deployed %t, want %q in\n%s", id, x.Paused, x.Other, want, x)
		}
	}
}

// TestNothingIsLeasedInIgnorance asks for deliveries as a process does that has read what is paused
// a moment before a bucket was paused.
func TestNothingIsLeasedInIgnorance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	w.keep(func(e *engine.Engine) {
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "in", Func: make(inbox, 1).handle}))
	})
	w.identify("ada", map[string]any{"plan": "pro"})
	q, now := db.New(w.pool), pgtype.Timestamptz{Time: epoch, Valid: true}
	before, err := q.GenerationNo(t.Context())
	must(t, err)
	must(t, w.Deployments().Pause(t.Context(), w.ref("pro")))
	must(t, w.Deployments().Resume(t.Context(), w.ref("pro")))
	after, err := q.GenerationNo(t.Context())
	must(t, err)
	for _, c := range []struct {
		generation int32
		want       int
	}{{before, 0}, {after, 1}} {
		rows, err := q.DeliveriesClaim(t.Context(), db.DeliveriesClaimParams{
			SubscriptionNos: []int32{1}, GenerationNo: c.generation, PausedNos: []int32{}, Now: now, Until: now, Lease: pgtype.UUID{Valid: true}, Most: 1,
		})
		must(t, err)
		equal(t, "leased", len(rows), c.want)
	}
}
