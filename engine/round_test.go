package engine_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// rounds begins to go through rounds, and returns the function that returns the next one that is
// not empty.
func rounds(t *testing.T, e *engine.Engine) func() engine.Invalidation {
	t.Helper()
	all := make(chan engine.Invalidation)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for round, err := range e.Invalidations(ctx) {
			if err != nil {
				if !errors.Is(err, context.Canceled) && !errors.Is(err, engine.ErrStopped) {
					t.Error(err)
				}
				return
			}
			if len(round.Users) == 0 && !round.Lost {
				continue
			}
			select {
			case all <- round:
			case <-ctx.Done():
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
	next := func() engine.Invalidation {
		t.Helper()
		return waitfor.Next(t, all)
	}
	if first := next(); !first.Lost {
		t.Fatalf("the first round is %v, want one that knows nothing", first)
	}
	return next
}

// TestRoundsTellWhoMayHaveChanged goes through all that changes what can be seen of a user, and
// some that does not.
func TestRoundsTellWhoMayHaveChanged(t *testing.T) {
	t.Parallel()
	once := bucket.Define(bucket.Spec{ID: "once", Criteria: seats.MoreThan(0), Entry: bucket.Once()})
	w := newWorld(t, pro, testers, once)
	other := w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
	w.identify("cyd", map[string]any{"seats": 1})
	w.identify("cyd", map[string]any{"seats": 0})
	w.track("bob", "visit")
	next := rounds(t, w.Engine)
	for _, step := range []struct {
		name    string
		do      func() error
		user    string
		buckets []string
	}{
		{"enter", func() error { w.identify("ada", map[string]any{"plan": "pro"}); return nil }, "ada", []string{"pro"}},
		{"enter elsewhere", func() error {
			return one(other.Ingest(t.Context(), engine.Event{UserID: "bob", Traits: map[string]any{"plan": "pro"}}))
		}, "bob", []string{"pro"}},
		{"suppressed", func() error { w.identify("cyd", map[string]any{"seats": 2}); return nil }, "cyd", []string{"once"}},
		{"add", func() error { return one(w.Add(t.Context(), w.manual("testers"), "dan")) }, "dan", []string{"testers"}},
		{"delete", func() error { return w.Delete(t.Context(), "ada") }, "ada", nil},
		{"restore", func() error { return one(w.Restore(t.Context(), "ada")) }, "ada", nil},
		{"delete elsewhere", func() error { return other.Delete(t.Context(), "bob") }, "bob", nil},
		{"clock", func() error { w.clock.Advance(8 * 24 * time.Hour); w.settle(); return nil }, "dan", []string{"testers"}},
		{"leave", func() error { w.identify("ada", map[string]any{"plan": "free"}); return nil }, "ada", []string{"pro"}},
	} {
		w.track("eve", "visit") // who is in no round
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		round := next()
		if !slices.Equal(round.Users, []string{step.user}) || !slices.Equal(round.Buckets, step.buckets) || round.Lost || round.Hidden != (step.buckets == nil) {
			t.Errorf("%s: got %v, want %s and %v", step.name, round, step.user, step.buckets)
		}
	}
}

func one[T any](_ T, err error) error { return err }

// TestRoundsForgetForWhoIsSlow lets more happen than is remembered before the reader asks.
func TestRoundsForgetForWhoIsSlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	next := rounds(t, w.Engine)
	w.identify("first", map[string]any{"plan": "pro"})
	for _, plan := range []string{"pro", "free"} {
		events := make([]engine.Event, 12_000)
		for i := range events {
			events[i] = engine.Event{UserID: "u" + itoa(i), Traits: map[string]any{"plan": plan}}
		}
		ingestAll(t, w.Engine, events)
	}
	eventually(t, func() bool { return next().Lost }) // those that were remembered when it was asked for come before
	w.identify("last", map[string]any{"plan": "pro"})
	eventually(t, func() bool { return slices.Contains(next().Users, "last") })
}
