package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/registry"
)

// target is what a forwarder forwards to.
type target struct {
	mu      sync.Mutex
	answer  func([]engine.Delivery) ([]error, error) // nil: it takes everything
	batches [][]engine.Delivery                      // that it was asked to take
	taken   []engine.Delivery
}

func (g *target) forward(_ context.Context, batch []engine.Delivery) ([]error, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.batches = append(g.batches, batch)
	if g.answer == nil {
		g.taken = append(g.taken, batch...)
		return nil, nil
	}
	errs, away := g.answer(batch)
	for i, d := range batch {
		if away == nil && (errs == nil || len(errs) == len(batch) && errs[i] == nil) {
			g.taken = append(g.taken, d)
		}
	}
	return errs, away
}

func (g *target) answers(f func([]engine.Delivery) ([]error, error)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answer = f
}

func (g *target) calls() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.batches)
}

// has returns what was taken, once it is so much.
func (g *target) has(t *testing.T, n int) []engine.Delivery {
	t.Helper()
	eventually(t, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.taken) >= n
	})
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.taken) > n {
		t.Errorf("%d deliveries were taken, want %d", len(g.taken), n)
	}
	return slices.Clone(g.taken)
}

// everything subscribes to all that happens, under a name.
func everything(name string) []engine.Subscription {
	return []engine.Subscription{{Name: name, Kinds: []engine.Kind{engine.Entered, engine.Left, engine.Dwell}}}
}

func (g *target) on(t *testing.T, f engine.Forwarder) func(*engine.Engine) {
	t.Helper()
	f.Func = g.forward
	return func(e *engine.Engine) { must(t, e.Forward(t.Context(), f)) }
}

// keep has transitions kept for the subscribers that prepare registers, and delivers none.
func (w *world) keep(prepare func(*engine.Engine)) {
	w.t.Helper()
	stop(w.t, w.start(engine.Config{NoClock: true, NoDelivery: true}, prepare))
}

func (w *world) outboxEmpty() bool { return w.count("select count(*) from bucketgen.deliveries") == 0 }

// subscribed writes deliveries as "all: entered pro 1", sorted.
func subscribed(deliveries []engine.Delivery) []string {
	var lines []string
	for _, d := range deliveries {
		lines = append(lines, d.Subscription+": "+d.Transition.UserID+" "+brief([]engine.Transition{d.Transition})[0])
	}
	slices.Sort(lines)
	return lines
}

func TestForwarderTakesBatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	g := &target{}
	on := g.on(t, engine.Forwarder{Name: "out", Batch: 20, Subscriptions: everything("all")})
	w.keep(on)
	for i := range 30 {
		w.identify("u"+itoa(i), map[string]any{"plan": "pro", "email": "u@example.com"})
	}
	e := w.start(fast, on)
	taken := g.has(t, 30)
	eventually(t, w.outboxEmpty)
	equal(t, "sizes of the batches", []int{len(g.batches[0]), len(g.batches[1]), g.calls()}, []int{20, 10, 2})
	keys := map[string]bool{}
	for _, d := range taken {
		keys[d.Transition.Key()] = true
		if d.Subscription != "all" || d.Attempt != 1 || d.Transition.UserEmail != "u@example.com" || d.Transition.MembershipID == 0 {
			t.Errorf("got %+v", d)
		}
	}
	equal(t, "transitions", len(keys), 30)
	eventually(t, func() bool { return e.Stats().Delivered == 30 })
}

// TestSubscriptionsGetWhatTheyAskedFor has one forwarder with a subscription of every kind.
func TestSubscriptionsGetWhatTheyAskedFor(t *testing.T) {
	t.Parallel()
	ticking := bucket.Define(bucket.Spec{
		ID: "ticking", Criteria: plan.Is("pro"), MaxDwell: 3 * bucket.Hour,
		Dwell: []bucket.Tick{bucket.After(bucket.Hour), bucket.Every(2 * bucket.Hour)},
	})
	w := newWorld(t, pro, ticking)
	g := &target{}
	w.start(fast, g.on(t, engine.Forwarder{Name: "out", Subscriptions: []engine.Subscription{
		{Name: "all", Kinds: []engine.Kind{engine.Entered, engine.Left, engine.Dwell}},
		{Name: "pro", Bucket: w.ref("pro"), Kinds: []engine.Kind{engine.Entered, engine.Left}},
		{Name: "first", Bucket: w.ref("pro"), Kinds: []engine.Kind{engine.Entered}, FirstOnly: true},
		{Name: "tick", Bucket: w.ref("ticking"), Kinds: []engine.Kind{engine.Dwell}, Tick: "after-1h"},
		{Name: "timed out", Kinds: []engine.Kind{engine.Entered, engine.Left}, Reasons: []engine.Reason{engine.ReasonMaxDwell}},
		{Name: "begins and ticks", Bucket: w.ref("ticking"), Kinds: []engine.Kind{engine.Entered, engine.Dwell}, Tick: "every-2h"},
	}}))
	w.identify("ada", map[string]any{"plan": "pro"})
	w.identify("ada", map[string]any{"plan": "free"})
	w.identify("ada", map[string]any{"plan": "pro"})
	eventually(t, w.outboxEmpty)
	w.clock.Advance(3 * time.Hour)
	w.settle()
	eventually(t, w.outboxEmpty)
	want := []string{
		"all: ada dwell ticking 2 after-1h#1", "all: ada dwell ticking 2 every-2h#1",
		"all: ada entered pro 1", "all: ada entered pro 2", "all: ada entered ticking 1", "all: ada entered ticking 2",
		"all: ada left pro 1 by criteria", "all: ada left ticking 1 by criteria", "all: ada left ticking 2 by maxDwell",
		"begins and ticks: ada dwell ticking 2 every-2h#1", "begins and ticks: ada entered ticking 1", "begins and ticks: ada entered ticking 2",
		"first: ada entered pro 1",
		"pro: ada entered pro 1", "pro: ada entered pro 2", "pro: ada left pro 1 by criteria",
		"tick: ada dwell ticking 2 after-1h#1",
		"timed out: ada entered pro 1", "timed out: ada entered pro 2", "timed out: ada entered ticking 1", "timed out: ada entered ticking 2",
		"timed out: ada left ticking 2 by maxDwell",
	}
	equal(t, "taken", subscribed(g.has(t, len(want))), want)
}

// TestSubscriptionToAllKnowsNoRegistry has a process forward what happens in a bucket that only
// another process has.
func TestSubscriptionToAllKnowsNoRegistry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	g := &target{}
	w.start(fast, g.on(t, engine.Forwarder{Name: "out", Subscriptions: everything("all")}))
	other := w.redefined(pro, bucket.Define(bucket.Spec{ID: "new", Name: "Brand new", Criteria: visit.Exists()}))
	other.deploy(engine.DeployOptions{})
	other.track("ada", "visit")
	got := g.has(t, 1)[0].Transition
	equal(t, "bucket", []string{got.BucketID, got.BucketName, got.Event()}, []string{"new", "Brand new", "bucket:entered:new"})
}

// TestForwarderAnswersForEachDelivery lets the target refuse some deliveries of a batch.
func TestForwarderAnswersForEachDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	g := &target{answer: func(batch []engine.Delivery) ([]error, error) {
		errs := make([]error, len(batch))
		for i, d := range batch {
			switch {
			case d.Transition.UserID == "bob" && d.Attempt == 1:
				errs[i] = errors.New("not now")
			case d.Transition.UserID == "cy":
				errs[i] = engine.GiveUp(errors.New("never"))
			case d.Transition.UserID == "dee":
				errs[i] = errors.New("no")
			}
		}
		return errs, nil
	}}
	on := g.on(t, engine.Forwarder{Name: "out", MaxAttempts: 2, Subscriptions: everything("all")})
	w.keep(on)
	for _, user := range []string{"ada", "bob", "cy", "dee"} {
		w.identify(user, map[string]any{"plan": "pro"})
	}
	e := w.start(fast, on)
	eventually(t, func() bool { return e.Stats().Failed == 3 })
	equal(t, "first", subscribed(g.has(t, 1)), []string{"all: ada entered pro 1"})
	equal(t, "calls", g.calls(), 1)
	w.clock.Advance(2 * time.Second)
	eventually(t, func() bool { return e.Stats().Failed == 4 })
	eventually(t, func() bool { return e.Stats().Delivered == 2 })
	equal(t, "then", subscribed(g.has(t, 2)), []string{"all: ada entered pro 1", "all: bob entered pro 1"})
	var dead []string
	for letter, err := range e.Outbox().DeadLetters(t.Context()) {
		must(t, err)
		dead = append(dead, fmt.Sprint(letter.Handler, " ", letter.Transition.UserID, " ", letter.Attempts, " ", letter.Error))
	}
	equal(t, "dead", dead, []string{"all cy 1 never", "all dee 2 no"})
}

// TestForwarderThatGivesNoAnswer has functions that panic, or answer for another number of
// deliveries than they got: then each of those has failed, and the engine goes on.
func TestForwarderThatGivesNoAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func([]engine.Delivery) ([]error, error)
		error  string
	}{
		"panic":    {func([]engine.Delivery) ([]error, error) { panic("no thanks") }, "panic: no thanks"},
		"too few":  {func([]engine.Delivery) ([]error, error) { return make([]error, 1), nil }, `forwarder "out" returned 1 errors for 2 deliveries`},
		"none":     {func([]engine.Delivery) ([]error, error) { return []error{}, nil }, `forwarder "out" returned 0 errors for 2 deliveries`},
		"too many": {func([]engine.Delivery) ([]error, error) { return make([]error, 3), nil }, `forwarder "out" returned 3 errors for 2 deliveries`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, pro)
			g := &target{answer: c.answer}
			on := func(e *engine.Engine) {
				must(t, e.Forward(t.Context(), engine.Forwarder{Name: "out", Subscriptions: everything("all"), Func: g.forward}))
			}
			w.keep(on)
			w.identify("ada", map[string]any{"plan": "pro"})
			w.identify("bob", map[string]any{"plan": "pro"})
			e := w.start(fast, on)
			eventually(t, func() bool { return e.Stats().Failed == 2 })
			equal(t, "failed for this", w.count("select count(*) from bucketgen.deliveries where attempts = 1 and error = $1", c.error), 2)
			g.answers(nil)
			w.clock.Advance(2 * time.Second)
			for _, d := range g.has(t, 2) {
				equal(t, "attempt", d.Attempt, 2)
			}
		})
	}
}

// TestForwardersKeepOrder runs a forwarder in three processes, whose target refuses much and is
// often away: of each user and bucket transitions come in order, and never two in one batch.
func TestForwardersKeepOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	var mu sync.Mutex
	last, calls, taken := map[string]int{}, 0, 0
	forward := func(_ context.Context, batch []engine.Delivery) ([]error, error) {
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls%5 == 0 {
			return nil, errors.New("away")
		}
		errs, users := make([]error, len(batch)), map[string]bool{}
		for i, d := range batch {
			user := d.Transition.UserID
			if users[user] {
				t.Errorf("two of %s in a batch", user)
			}
			users[user] = true
			if (calls+i)%7 == 0 {
				errs[i] = errors.New("not now")
				continue
			}
			place := 2 * d.Transition.EntryCount
			if d.Transition.Kind == engine.Left {
				place++
			}
			if place != last[user]+1 && last[user] != 0 || last[user] == 0 && place != 2 {
				t.Errorf("%s: got place %d after %d", user, place, last[user])
			}
			last[user] = place
			taken++
		}
		return errs, nil
	}
	patient := fast
	patient.Lease = bucket.Day // the clock of this test runs faster than leases can be kept
	for range 3 {
		w.start(patient, func(e *engine.Engine) {
			must(t, e.Forward(t.Context(), engine.Forwarder{Name: "out", Batch: 7, MaxAttempts: 1000, Subscriptions: everything("all"), Func: forward}))
		})
	}
	const users, rounds = 20, 8
	for range rounds {
		var events []engine.Event
		for i := range users {
			events = append(events, engine.Event{UserID: "u" + itoa(i), Traits: map[string]any{"plan": "pro"}}, engine.Event{UserID: "u" + itoa(i), Traits: map[string]any{"plan": "free"}})
		}
		ingestAll(t, w.Engine, events)
	}
	eventually(t, func() bool {
		w.clock.Advance(time.Second)
		return w.outboxEmpty()
	})
	equal(t, "taken", taken, users*rounds*2)
}

func TestForwardersAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	e, err := engine.New(w.pool, w.registry, fast)
	must(t, err)
	must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "handler", Func: func(context.Context, engine.Transition) error { return nil }}))
	good := func(change func(*engine.Forwarder)) engine.Forwarder {
		f := engine.Forwarder{Name: "out", Subscriptions: everything("all"), Func: (&target{}).forward}
		if change != nil {
			change(&f)
		}
		return f
	}
	one := func(change func(*engine.Subscription)) engine.Forwarder {
		return good(func(f *engine.Forwarder) { change(&f.Subscriptions[0]) })
	}
	for want, f := range map[string]engine.Forwarder{
		"has no name":                    good(func(f *engine.Forwarder) { f.Name = "" }),
		"has no Func":                    good(func(f *engine.Forwarder) { f.Func = nil }),
		"Batch is 101":                   good(func(f *engine.Forwarder) { f.Batch = 101 }),
		"Batch is -1":                    good(func(f *engine.Forwarder) { f.Batch = -1 }),
		"MaxAttempts is -1":              good(func(f *engine.Forwarder) { f.MaxAttempts = -1 }),
		"has no subscriptions":           good(func(f *engine.Forwarder) { f.Subscriptions = nil }),
		"a subscription has no name":     one(func(s *engine.Subscription) { s.Name = "" }),
		`subscription "handler": there`:  one(func(s *engine.Subscription) { s.Name = "handler" }),
		`subscription "all": there is`:   good(func(f *engine.Forwarder) { f.Subscriptions = append(f.Subscriptions, everything("all")...) }),
		"is an Existing one":             one(func(s *engine.Subscription) { s.Existing = true }),
		"has no Kinds":                   one(func(s *engine.Subscription) { s.Kinds = nil }),
		`there is no kind "born"`:        one(func(s *engine.Subscription) { s.Kinds = []engine.Kind{"born"} }),
		`there is no reason "boredom"`:   one(func(s *engine.Subscription) { s.Reasons = []engine.Reason{"boredom"} }),
		"is not in the registry":         one(func(s *engine.Subscription) { s.Bucket = registry.NewRef("nope", 0) }),
		`"pro" does not tick "every-1s"`: one(func(s *engine.Subscription) { s.Bucket, s.Tick = w.ref("pro"), "every-1s" }),
	} {
		if err := e.Forward(t.Context(), f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	must(t, e.Forward(t.Context(), good(nil))) // nothing that was refused has taken its name
	if err := e.Forward(t.Context(), good(nil)); err == nil || !strings.Contains(err.Error(), `forwarder "out": there is another of that name`) {
		t.Errorf("again: got %v", err)
	}
}
