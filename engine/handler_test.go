package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/waitfor"
	"github.com/bucketgen/bucketgen/registry"
)

// inbox is a handler that hands on what it gets.
type inbox chan engine.Transition

func (in inbox) handle(_ context.Context, t engine.Transition) error {
	in <- t
	return nil
}

// next returns what comes next, in short.
func (in inbox) next(t *testing.T) engine.Transition {
	t.Helper()
	return waitfor.Next(t, in)
}

// fast polls so often that tests need not wait.
var fast = engine.Config{NoClock: true, DeliveryPoll: 2 * time.Millisecond}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestHandlersGetWhatTheyAskedFor(t *testing.T) {
	t.Parallel()
	once := bucket.Define(bucket.Spec{ID: "once", Name: "Only once", Criteria: plan.Is("pro"), Entry: bucket.Once()})
	ticking := bucket.Define(bucket.Spec{
		ID: "ticking", Criteria: plan.Is("pro"), MaxDwell: 3 * bucket.Hour,
		Dwell: []bucket.Tick{bucket.After(bucket.Hour), bucket.Every(2 * bucket.Hour)},
	})
	w := newWorld(t, pro, once, ticking)
	in := make(inbox, 100)
	tick := registry.NewTickRef("ticking", 0, "every-2h")
	w.start(fast, func(e *engine.Engine) {
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "every entry", Func: in.handle}))
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "first entry", FirstOnly: true, Func: func(ctx context.Context, tr engine.Transition) error {
			tr.BucketID = "first of pro"
			return in.handle(ctx, tr)
		}}))
		must(t, e.OnEnter(w.ref("once"), engine.EnterHandler{Name: "once", Func: in.handle}))
		must(t, e.OnLeave(w.ref("ticking"), engine.LeaveHandler{Name: "timed out", Reasons: []engine.Reason{engine.ReasonMaxDwell}, Func: in.handle}))
		must(t, e.OnDwell(tick, engine.DwellHandler{Name: "two hours", Func: in.handle}))
	})
	w.identify("ada", map[string]any{"plan": "pro", "email": "ada@example.com"})
	w.identify("ada", map[string]any{"plan": "free"})
	w.identify("ada", map[string]any{"plan": "pro"})
	delivered := func() bool { return w.count("select count(*) from bucketgen.deliveries") == 0 }
	eventually(t, delivered) // while one is under way, three hours would be the end of its lease
	w.clock.Advance(3 * time.Hour)
	w.settle()
	want := []string{
		"dwell ticking 2 every-2h#1", "entered first of pro 1", "entered once 1", "entered pro 1", "entered pro 2", "left ticking 2 by maxDwell",
	}
	var got []engine.Transition
	for range want {
		got = append(got, in.next(t))
	}
	lines := brief(got)
	slices.Sort(lines)
	equal(t, "delivered", lines, want)
	eventually(t, delivered)
	equal(t, "more", len(in), 0)
	for _, tr := range got {
		if tr.UserEmail != "ada@example.com" || tr.MembershipID == 0 || tr.UserID != "ada" {
			t.Errorf("got %+v", tr)
		}
		switch tr.Kind {
		case engine.Dwell:
			equal(t, "event", tr.Event(), "bucket:dwell:ticking:every-2h")
			equal(t, "key", tr.Key(), "bucket:ticking:ada:dwell:every-2h:2:1")
			equal(t, "at", tr.At, epoch.Add(2*time.Hour))
		case engine.Left:
			equal(t, "key", tr.Key(), "bucket:ticking:ada:left:2")
		}
	}
}

// TestFailingDeliveryHoldsBackOnlyItsKey fails the first delivery of a user until the test ends
// that.
func TestFailingDeliveryHoldsBackOnlyItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	in := make(inbox, 100)
	var mu sync.Mutex
	failing, attempts := true, 0
	e := w.start(fast, func(e *engine.Engine) {
		handle := func(ctx context.Context, tr engine.Transition) error {
			mu.Lock()
			defer mu.Unlock()
			if failing && tr.UserID == "ada" {
				if attempts++; attempts == 2 {
					panic("no thanks")
				}
				return errors.New("no thanks \x00 \xff")
			}
			return in.handle(ctx, tr)
		}
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "in", Func: handle}))
		must(t, e.OnLeave(w.ref("pro"), engine.LeaveHandler{Name: "out", Func: handle}))
	})
	for _, user := range []string{"ada", "bob"} {
		for _, p := range []string{"pro", "free", "pro"} {
			w.identify(user, map[string]any{"plan": p})
		}
	}
	got := []engine.Transition{in.next(t), in.next(t), in.next(t)}
	for _, tr := range got {
		equal(t, "user", tr.UserID, "bob")
	}
	eventually(t, func() bool { return e.Stats().Failed == 2 }) // one of each handler
	w.clock.Advance(2 * time.Second)                            // the first retry comes after a second or so
	eventually(t, func() bool { return e.Stats().Failed == 4 })
	mu.Lock()
	failing = false
	mu.Unlock()
	w.clock.Advance(10 * time.Second)
	byHandler := map[engine.Kind][]string{}
	for range 3 {
		tr := in.next(t)
		equal(t, "user", tr.UserID, "ada")
		byHandler[tr.Kind] = append(byHandler[tr.Kind], brief([]engine.Transition{tr})...)
	}
	equal(t, "order", byHandler, map[engine.Kind][]string{engine.Entered: {"entered pro 1", "entered pro 2"}, engine.Left: {"left pro 1 by criteria"}})
}

// TestOldDeadLettersGo lets the older of two dead letters become older than Config.DeadLetterAge.
func TestOldDeadLettersGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	e := w.start(fast, func(e *engine.Engine) {
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "in", Func: func(context.Context, engine.Transition) error {
			return engine.GiveUp(errors.New("no such user"))
		}}))
	})
	for i, user := range []string{"ada", "bob"} {
		w.identify(user, map[string]any{"plan": "pro"})
		eventually(t, func() bool { return e.Stats().DeadLetter == int64(i+1) })
		w.clock.Advance(16 * 24 * time.Hour)
	}
	stop(t, e)
	log := slog.New(failOnError{slog.NewTextHandler(t.Output(), nil), t})
	e = w.start(engine.Config{NoDelivery: true, Logger: log}, nil) // it deletes what is old as it starts
	eventually(t, func() bool { return e.Stats().DeadForgotten > 0 })
	var left []string
	for letter, err := range e.Outbox().DeadLetters(t.Context()) {
		must(t, err)
		left = append(left, letter.Transition.UserID)
	}
	equal(t, "left", left, []string{"bob"})
	equal(t, "forgotten", e.Stats().DeadForgotten, 1)
}

func TestDeadLettersReleaseTheirSuccessors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	in := make(inbox, 100)
	var mu sync.Mutex
	refuse := map[int]error{1: errors.New("down"), 2: fmt.Errorf("gone: %w", engine.GiveUp(errors.New("no such user")))}
	e := w.start(fast, func(e *engine.Engine) {
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "in", MaxAttempts: 3, Func: func(ctx context.Context, tr engine.Transition) error {
			mu.Lock()
			defer mu.Unlock()
			if err := refuse[tr.EntryCount]; err != nil {
				return err
			}
			return in.handle(ctx, tr)
		}}))
	})
	for range 3 {
		w.identify("ada", map[string]any{"plan": "pro"})
		w.identify("ada", map[string]any{"plan": "free"})
	}
	for failed := range int64(2) {
		eventually(t, func() bool { return e.Stats().Failed == failed+1 })
		w.clock.Advance(time.Hour)
	}
	equal(t, "third stay", brief([]engine.Transition{in.next(t)}), []string{"entered pro 3"})
	var letters []engine.DeadLetter
	for letter, err := range e.Outbox().DeadLetters(t.Context()) {
		must(t, err)
		letters = append(letters, letter)
	}
	equal(t, "dead", len(letters), 2)
	eventually(t, func() bool { // the third stay is settled a moment after its handler has returned
		backlogs, err := e.Outbox().Backlogs(t.Context())
		must(t, err)
		return cmp.Equal(backlogs, []engine.Backlog{{Subscription: "in", BucketID: "pro", Dead: 2}})
	})
	equal(t, "attempts", []int{letters[0].Attempts, letters[1].Attempts}, []int{3, 1})
	equal(t, "errors", []string{letters[0].Error, letters[1].Error}, []string{"down", "gone: no such user"})
	equal(t, "handler", letters[0].Handler, "in")
	equal(t, "what", brief([]engine.Transition{letters[0].Transition}), []string{"entered pro 1"})
	mu.Lock()
	clear(refuse)
	mu.Unlock()
	n, err := e.Outbox().Replay(t.Context(), letters[0].ID)
	if err != nil || n != 1 {
		t.Fatalf("replay one: got %d, %v", n, err)
	}
	again := in.next(t)
	equal(t, "replayed", []any{again.Replayed, again.Key(), again.Key() == letters[0].Transition.Key()}, []any{true, "bucket:pro:ada:entered:1", true})
	if n, err = e.Outbox().Replay(t.Context()); err != nil || n != 1 {
		t.Fatalf("replay all: got %d, %v", n, err)
	}
	equal(t, "the other", in.next(t).EntryCount, 2)
	equal(t, "given up", e.Stats().DeadLetter, 2)
}

// TestDeliveriesWaitForTheirHandler stops the process that serves a handler and starts it again.
func TestDeliveriesWaitForTheirHandler(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	in := make(inbox, 100)
	on := func(e *engine.Engine) {
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "in", Func: in.handle}))
	}
	stop(t, w.start(fast, on))
	other := make(inbox, 100)
	w.start(fast, func(e *engine.Engine) {
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "other", Func: other.handle}))
	})
	w.identify("ada", map[string]any{"plan": "pro"})
	other.next(t)
	equal(t, "delivered without the handler", len(in), 0)
	waiting := func(e *engine.Engine) []int64 {
		backlogs, err := e.Outbox().Backlogs(t.Context())
		must(t, err)
		equal(t, "subscriptions", []string{backlogs[0].Subscription, backlogs[1].Subscription}, []string{"in", "other"})
		equal(t, "something waits since", []bool{backlogs[0].Oldest.IsZero(), backlogs[1].Oldest.IsZero()}, []bool{backlogs[0].Waiting == 0, backlogs[1].Waiting == 0})
		return []int64{backlogs[0].Waiting, backlogs[1].Waiting}
	}
	idle := fast
	idle.NoDelivery = true
	e := w.start(idle, on)
	eventually(t, func() bool { return slices.Equal(waiting(e), []int64{1, 0}) })
	e = w.start(fast, on)
	equal(t, "delivered with it", in.next(t).UserID, "ada")
	gone, err := e.Outbox().Unsubscribe(t.Context(), "in")
	if err != nil || !gone {
		t.Errorf("unsubscribe: got %t, %v", gone, err)
	}
	if gone, err = e.Outbox().Unsubscribe(t.Context(), "in"); err != nil || gone {
		t.Errorf("unsubscribe again: got %t, %v", gone, err)
	}
}

// TestLeaseOfADeadProcessIsTaken pretends that a process took deliveries and died.
func TestLeaseOfADeadProcessIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	in := make(inbox, 100)
	on := func(e *engine.Engine) {
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "in", Func: in.handle}))
	}
	stop(t, w.start(fast, on))
	w.identify("ada", map[string]any{"plan": "pro"})
	execSQL(t, w, `update bucketgen.deliveries set leased_until = next_at + interval '30 seconds', lease = gen_random_uuid()`)
	e := w.start(fast, on)
	w.identify("bob", map[string]any{"plan": "pro"})
	equal(t, "first", in.next(t).UserID, "bob")
	eventually(t, func() bool { return e.Stats().Delivered == 1 }) // or the lease of bob's would end, too
	w.clock.Advance(31 * time.Second)
	equal(t, "later", in.next(t).UserID, "ada")
	eventually(t, func() bool { return e.Stats().Delivered == 2 })
}

// TestProcessesShareDeliveries runs three engines with the same handler: each transition is handled
// once, and those of a user in order.
func TestProcessesShareDeliveries(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	var mu sync.Mutex
	last, handled := map[string]int{}, 0
	for range 3 {
		w.start(fast, func(e *engine.Engine) {
			must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "in", Func: func(_ context.Context, tr engine.Transition) error {
				mu.Lock()
				defer mu.Unlock()
				if tr.EntryCount != last[tr.UserID]+1 {
					t.Errorf("%s: got entry %d after %d", tr.UserID, tr.EntryCount, last[tr.UserID])
				}
				last[tr.UserID] = tr.EntryCount
				handled++
				return nil
			}}))
		})
	}
	const users, rounds = 20, 15
	for range rounds {
		var events []engine.Event
		for i := range users {
			events = append(events, engine.Event{UserID: "u" + itoa(i), Traits: map[string]any{"plan": "pro"}}, engine.Event{UserID: "u" + itoa(i), Traits: map[string]any{"plan": "free"}})
		}
		ingestAll(t, w.Engine, events)
	}
	eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return handled == users*rounds })
	eventually(t, func() bool { return w.count("select count(*) from bucketgen.deliveries") == 0 })
}

func TestHandlersAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	e, err := engine.New(w.pool, w.registry, fast)
	must(t, err)
	nothing := func(context.Context, engine.Transition) error { return nil }
	must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "in", Func: nothing}))
	for want, err := range map[string]error{
		"there is another of that name":      e.OnLeave(w.ref("pro"), engine.LeaveHandler{Name: "in", Func: nothing}),
		"has no name":                        e.OnEnter(w.ref("pro"), engine.EnterHandler{Func: nothing}),
		"has no Func":                        e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "x"}),
		"MaxAttempts is -1":                  e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "x", MaxAttempts: -1, Func: nothing}),
		"is not in the registry":             e.OnEnter(registry.NewRef("nope", 0), engine.EnterHandler{Name: "x", Func: nothing}),
		"no bucket was given":                e.OnEnter(nil, engine.EnterHandler{Name: "x", Func: nothing}),
		`there is no reason "boredom"`:       e.OnLeave(w.ref("pro"), engine.LeaveHandler{Name: "x", Reasons: []engine.Reason{"boredom"}, Func: nothing}),
		`does not tick "after-1s"`:           e.OnDwell(registry.NewTickRef("pro", 0, "after-1s"), engine.DwellHandler{Name: "x", Func: nothing}),
		"registered before the engine start": w.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "late", Func: nothing}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
