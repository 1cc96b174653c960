package engine_test

import (
	"context"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// eavesdropper notes the names of the statements that are sent.
type eavesdropper struct {
	mu    sync.Mutex
	names []string
}

var nameOf = regexp.MustCompile(`-- name: (\w+)`)

func (v *eavesdropper) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, q := range data.Batch.QueuedQueries {
		if name := nameOf.FindStringSubmatch(q.SQL); name != nil {
			v.names = append(v.names, name[1])
		}
	}
	return ctx
}

func (v *eavesdropper) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (v *eavesdropper) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (v *eavesdropper) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

func (v *eavesdropper) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (v *eavesdropper) take() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	names := v.names
	v.names = nil
	return names
}

// TestNothingIsAskedOfTheRemembered checks the queries for one event after the other of a user,
// whom two engines take in turns: the engine that had the user last asks for nothing but the lock.
func TestNothingIsAskedOfTheRemembered(t *testing.T) {
	t.Parallel()
	sent := &eavesdropper{}
	pool := traced(t, sent)
	r, c := registrytest.Build(t, pro, regulars, dormant, proBuyers), newClock(epoch)
	start := func() *engine.Engine {
		return startEngine(t, pool, r, engine.Config{Now: c.Now, VirtualTime: true, NoClock: true, NoDelivery: true, DeployPoll: time.Hour}, nil)
	}
	one, other := start(), start()
	for i, step := range []struct {
		engine *engine.Engine
		asks   bool
	}{
		{one, true}, // who is new
		{one, false},
		{one, false},
		{other, true}, // who has never met the user
		{other, true}, // and reads everything the second time
		{other, false},
		{one, true}, // after a write of the other engine
		{one, true},
		{one, false},
		{other, true},
	} {
		sent.take()
		ingestAll(t, step.engine, []engine.Event{{UserID: "ada", Name: "visit", Traits: map[string]any{"seats": i}}})
		names := sent.take()
		asks := slices.ContainsFunc(names, func(name string) bool {
			return slices.Contains([]string{"MembershipsCurrent", "MembershipsAll", "MembershipsPrior", "DueOf", "EventsNewest", "EventsRecent", "TotalsOf", "TotalsAll", "ContactsCreate"}, name)
		})
		if asks != step.asks {
			t.Errorf("event %d sends %v; want that it asks for what is known of the user: %t", i, names, step.asks)
		}
		c.Advance(time.Minute)
	}
}

// TestTooMuchToRemember lets users come again who have more than is read at once: stays the one,
// events the other.
func TestTooMuchToRemember(t *testing.T) {
	t.Parallel()
	const many = 600
	w := newWorld(t, pro, regulars, bucket.Define(bucket.Spec{ID: "faithful", Criteria: visit.AtLeast(many + 3)}))
	var events []engine.Event
	for i := range many {
		events = append(events,
			engine.Event{UserID: "flip", Traits: map[string]any{"plan": []string{"pro", "free"}[i%2]}},
			engine.Event{UserID: "fan", Name: "visit"})
	}
	ingestAll(t, w.Engine, events)
	w.clock.Advance(bucket.Hour)
	w.settle()
	w.Engine = w.start(engine.Config{NoClock: true, NoDelivery: true}, nil) // which has cached no user
	for i := range 6 {
		entryCount := itoa(many/2 + 1 + i)
		equal(t, "pro", w.identify("flip", map[string]any{"plan": "pro"}), []string{"entered pro " + entryCount})
		equal(t, "free", w.identify("flip", map[string]any{"plan": "free"}), []string{"left pro " + entryCount + " by criteria"})
		want := map[int][]string{1: {"entered regulars 2"}, 2: {"entered faithful 1"}}[i]
		equal(t, "visit", w.track("fan", "visit"), append([]string{}, want...))
		w.clock.Advance(bucket.Minute)
	}
}
