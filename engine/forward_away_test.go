package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// TestTargetThatIsAway has a target that is away, one that never answers, one that is there, and a
// handler: only those that go to the first two wait, and what goes to the first is delivered once
// it is back.
func TestTargetThatIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	gone := func([]engine.Delivery) ([]error, error) { return nil, errors.New("no route to host") }
	away, there, in := &target{answer: gone}, &target{}, make(inbox, 100)
	stuck := make(chan struct{})
	e := w.start(fast, func(e *engine.Engine) {
		away.on(t, engine.Forwarder{Name: "away", MaxAttempts: 2, Subscriptions: everything("away")})(e)
		there.on(t, engine.Forwarder{Name: "there", Subscriptions: everything("there")})(e)
		must(t, e.Forward(t.Context(), engine.Forwarder{Name: "stuck", Subscriptions: everything("stuck"), Func: func(context.Context, []engine.Delivery) ([]error, error) {
			<-stuck
			return nil, nil
		}}))
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "in", Func: in.handle}))
	})
	t.Cleanup(func() { close(stuck) }) // before the engine is stopped, which waits for calls
	w.identify("u0", map[string]any{"plan": "pro"})
	eventually(t, func() bool { return e.Stats().Returned == 1 })
	for i := range 10 {
		w.identify("u"+itoa(i+1), map[string]any{"plan": "pro"})
		in.next(t)
		there.has(t, i+2)
	}
	equal(t, "calls while it is left alone", away.calls(), 1)
	equal(t, "attempts", w.count("select coalesce(sum(attempts), 0) from bucketgen.deliveries d join bucketgen.subscriptions s on s.no = d.subscription_no where s.name = 'away'"), 0)
	for i := range 8 { // more often than a delivery may fail, each time at the longest that it may be left alone
		w.clock.Advance(38 * time.Second)
		eventually(t, func() bool { return away.calls() == i+2 })
		eventually(t, func() bool { return e.Stats().Returned == int64(1+11*(i+1)) })
	}
	away.answers(nil)
	w.clock.Advance(38 * time.Second)
	for _, d := range away.has(t, 11) {
		equal(t, "attempt", d.Attempt, 1)
	}
	eventually(t, func() bool {
		return w.count("select count(*) from bucketgen.deliveries d join bucketgen.subscriptions s on s.no = d.subscription_no where s.name <> 'stuck'") == 0
	})
	equal(t, "failed", e.Stats().Failed, 0)
}

// TestTargetIsLeftAloneForLonger counts how often a target is asked that stays away: not before a
// second is over, and then after twice as long each time.
func TestTargetIsLeftAloneForLonger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	var asked []time.Duration
	g := &target{answer: func([]engine.Delivery) ([]error, error) {
		asked = append(asked, w.clock.Now().Sub(epoch))
		return nil, errors.New("away")
	}}
	w.start(fast, g.on(t, engine.Forwarder{Name: "out", Subscriptions: everything("all")}))
	w.identify("ada", map[string]any{"plan": "pro"})
	const step = 250 * time.Millisecond
	for calls := 1; calls <= 5; calls++ {
		// The dispatcher claims whenever it is woken: here by the steps of the clock, one after the
		// other.
		eventually(t, func() bool {
			if g.calls() < calls {
				w.clock.Advance(step)
			}
			return g.calls() >= calls
		})
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, least := 1, time.Second; i < 5; i, least = i+1, 2*least {
		if waited := asked[i] - asked[i-1]; waited < least {
			t.Errorf("call %d came after %v, want at least %v", i+1, waited, least)
		}
	}
}

// TestBatchOfADeadProcessIsTaken stops a process in the middle of a call, without a word to the
// database.
func TestBatchOfADeadProcessIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	calling := make(chan int, 1)
	dying := w.start(fast, func(e *engine.Engine) {
		must(t, e.Forward(t.Context(), engine.Forwarder{Name: "out", Subscriptions: everything("all"), Func: func(ctx context.Context, batch []engine.Delivery) ([]error, error) {
			calling <- len(batch)
			<-ctx.Done()
			return nil, ctx.Err()
		}}))
	})
	w.identify("ada", map[string]any{"plan": "pro"})
	equal(t, "under way", <-calling, 1)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := dying.Stop(over); !errors.Is(err, context.Canceled) {
		t.Errorf("stop: got %v, want that it was cut short", err)
	}
	g := &target{}
	e := w.start(fast, g.on(t, engine.Forwarder{Name: "out", Subscriptions: everything("all")}))
	w.identify("bob", map[string]any{"plan": "pro"})
	equal(t, "first", subscribed(g.has(t, 1)), []string{"all: bob entered pro 1"})
	eventually(t, func() bool { return e.Stats().Delivered == 1 }) // or the lease of bob's would end, too
	w.clock.Advance(31 * time.Second)
	taken := g.has(t, 2)
	equal(t, "later", subscribed(taken), []string{"all: ada entered pro 1", "all: bob entered pro 1"})
	equal(t, "attempt", taken[1].Attempt, 2)
	eventually(t, w.outboxEmpty)
}

// TestForwarderObeysPause pauses one bucket of those that a subscription to all is about.
func TestForwarderObeysPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	g := &target{}
	on := g.on(t, engine.Forwarder{Name: "out", Subscriptions: everything("all")})
	w.keep(on)
	w.identify("ada", map[string]any{"plan": "pro"})
	must(t, w.Deployments().Pause(t.Context(), w.ref("pro")))
	w.start(fast, on)
	w.track("bob", "visit")
	w.track("bob", "visit")
	equal(t, "paused", subscribed(g.has(t, 1)), []string{"all: bob entered regulars 1"})
	must(t, w.Deployments().Resume(t.Context(), w.ref("pro")))
	equal(t, "resumed", subscribed(g.has(t, 2)), []string{"all: ada entered pro 1", "all: bob entered regulars 1"})
}
