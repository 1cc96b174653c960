package engine_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// out is a forwarder of everything to a target.
func (g *target) out() engine.Forwarder {
	return engine.Forwarder{Name: "out", Subscriptions: everything("all"), Func: g.forward}
}

// TestForwardersComeAndGo has a forwarder come to an engine that runs, go, and come back.
func TestForwardersComeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	g := &target{}
	e := w.start(fast, nil)
	w.identify("ada", map[string]any{"plan": "pro"}) // before it came
	must(t, e.Forward(t.Context(), g.out()))
	w.identify("bob", map[string]any{"plan": "pro"})
	equal(t, "once it came", subscribed(g.has(t, 1)), []string{"all: bob entered pro 1"})
	eventually(t, w.outboxEmpty)

	must(t, e.Outbox().Unforward(t.Context(), "out"))
	w.identify("cy", map[string]any{"plan": "pro"})
	later := &target{}
	must(t, e.Forward(t.Context(), later.out()))
	equal(t, "while it was gone", subscribed(later.has(t, 1)), []string{"all: cy entered pro 1"})
	equal(t, "by the first", len(g.has(t, 1)), 1)

	for want, err := range map[string]error{
		`forwarder "out": there is another of that name`: e.Forward(t.Context(), g.out()),
		`forwarder "in": there is none of that name`:     e.Outbox().Unforward(t.Context(), "in"),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	stop(t, e)
	must(t, e.Outbox().Unforward(t.Context(), "out"))
	if err := e.Forward(t.Context(), g.out()); !errors.Is(err, engine.ErrStopped) {
		t.Errorf("once it is stopped: got %v", err)
	}
}

// TestForwarderGoesBeforeTheStart takes back what was registered: nothing is kept for it.
func TestForwarderGoesBeforeTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	g := &target{}
	w.start(fast, func(e *engine.Engine) {
		must(t, e.Forward(t.Context(), g.out()))
		must(t, e.Outbox().Unforward(t.Context(), "out"))
		must(t, e.Forward(t.Context(), g.out())) // its names are free again
		must(t, e.Outbox().Unforward(t.Context(), "out"))
	})
	equal(t, "subscriptions", w.count("select count(*) from bucketgen.subscriptions"), 0)
}

// TestForwarderServesWhatExists has a forwarder of a subscription that another process has made.
func TestForwarderServesWhatExists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	g := &target{}
	existing := engine.Forwarder{Name: "out", Subscriptions: []engine.Subscription{{Name: "all", Existing: true}}, Func: g.forward}
	e := w.start(fast, nil)
	if err := e.Forward(t.Context(), existing); !errors.Is(err, engine.ErrUnknownSubscription) {
		t.Errorf("where there is none: got %v", err)
	}
	w.keep((&target{}).on(t, engine.Forwarder{Name: "other", Subscriptions: everything("all")}))
	w.identify("ada", map[string]any{"plan": "pro"})
	must(t, e.Forward(t.Context(), existing)) // what was refused has not taken its name
	equal(t, "taken", subscribed(g.has(t, 1)), []string{"all: ada entered pro 1"})
	equal(t, "kinds", w.count("select cardinality(kinds) from bucketgen.subscriptions"), 3)
}

// TestUnforwardWaits ends a forwarder that is being called: with patience, and with none.
func TestUnforwardWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	calling, answer := make(chan struct{}), make(chan struct{})
	f := (&target{}).out()
	f.Func = func(ctx context.Context, _ []engine.Delivery) ([]error, error) {
		calling <- struct{}{}
		select {
		case <-answer:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	e := w.start(fast, nil)
	must(t, e.Forward(t.Context(), f))
	w.identify("ada", map[string]any{"plan": "pro"})
	<-calling
	gone := make(chan error)
	for range 2 { // also from two goroutines
		go func() { gone <- e.Outbox().Unforward(t.Context(), "out") }()
	}
	answer <- struct{}{}
	for range 2 {
		if err := <-gone; err != nil && !strings.Contains(err.Error(), "there is none") {
			t.Error(err)
		}
	}
	equal(t, "waiting", w.outboxEmpty(), true)

	must(t, e.Forward(t.Context(), f))
	w.identify("bob", map[string]any{"plan": "pro"})
	<-calling
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Outbox().Unforward(ctx, "out"); !errors.Is(err, context.Canceled) {
		t.Errorf("without patience: got %v", err)
	}
	g := &target{}
	must(t, e.Forward(t.Context(), g.out()))
	w.clock.Advance(31 * time.Second)
	equal(t, "after its lease", subscribed(g.has(t, 1)), []string{"all: bob entered pro 1"})
}

// TestForwardersComeAndGoTogether has many of them come and go at once while users join and leave:
// nothing is lost.
func TestForwardersComeAndGoTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	const forwarders, rounds = 4, 8
	var targets [forwarders]target
	e := w.start(fast, nil)
	out := func(i int) engine.Forwarder {
		return engine.Forwarder{Name: "out" + itoa(i), Subscriptions: everything("all" + itoa(i)), Func: targets[i].forward}
	}
	for i := range forwarders {
		must(t, e.Forward(t.Context(), out(i)))
	}
	var group sync.WaitGroup
	for i := range forwarders {
		group.Go(func() {
			for range rounds {
				if err := errors.Join(e.Outbox().Unforward(t.Context(), "out"+itoa(i)), e.Forward(t.Context(), out(i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range rounds {
		w.identify("u"+itoa(i), map[string]any{"plan": "pro"})
		w.identify("u"+itoa(i), map[string]any{"plan": "free"})
	}
	group.Wait()
	for i := range forwarders {
		targets[i].has(t, 2*rounds)
	}
	eventually(t, w.outboxEmpty)
}

// TestTargetThatGoesAwayInTheMiddle takes some of a batch before it is away: only the others come
// again, and no attempt of theirs was counted.
func TestTargetThatGoesAwayInTheMiddle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	g := &target{}
	away := true
	on := g.on(t, engine.Forwarder{Name: "out", Subscriptions: everything("all")})
	g.answers(func(batch []engine.Delivery) ([]error, error) {
		if !away {
			return nil, nil
		}
		away = false
		errs := make([]error, len(batch))
		for i, d := range batch {
			if d.Transition.UserID == "bob" {
				errs[i] = errors.New("gone")
			}
		}
		return errs, errors.New("gone")
	})
	w.keep(on)
	w.identify("ada", map[string]any{"plan": "pro"})
	w.identify("bob", map[string]any{"plan": "pro"})
	e := w.start(fast, on)
	eventually(t, func() bool { return e.Stats().Delivered == 1 && e.Stats().Returned == 1 })
	w.clock.Advance(2 * time.Second)
	eventually(t, w.outboxEmpty)
	last := g.batches[len(g.batches)-1]
	equal(t, "then", subscribed(last), []string{"all: bob entered pro 1"})
	equal(t, "attempt", last[0].Attempt, 1)
}

// TestRetryAfter puts a delivery off for as long as its target asked for, and counts the attempt.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	g := &target{answer: func([]engine.Delivery) ([]error, error) {
		return []error{engine.RetryAfter(time.Hour, errors.New("too many"))}, nil
	}}
	e := w.start(fast, g.on(t, engine.Forwarder{Name: "out", Subscriptions: everything("all")}))
	w.identify("ada", map[string]any{"plan": "pro"})
	eventually(t, func() bool { return e.Stats().Failed == 1 })
	equal(t, "put off", w.count("select count(*) from bucketgen.deliveries where next_at = $1 and attempts = 1 and error = 'too many'", epoch.Add(time.Hour)), 1)
	g.answers(nil)
	w.clock.Advance(time.Hour)
	equal(t, "attempt", g.has(t, 1)[0].Attempt, 2)
}
