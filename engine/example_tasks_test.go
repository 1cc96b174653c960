package engine_test

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/gen" //nolint:depguard // examples are of hosts, which hand their gen in
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/registry"
)

// What a handler receives is committed with the event that caused it, and delivered at least once.
func ExampleEngine_OnLeave() {
	w, done := example(func(e *engine.Engine) error {
		return e.OnLeave(gen.BetaTesters, engine.LeaveHandler{Name: "thank", Func: func(_ context.Context, t engine.Transition) error {
			fmt.Println("thank you,", t.UserID)
			return nil
		}})
	})
	defer done()
	ctx := context.Background()

	_, err := w.Add(ctx, gen.BetaTesters, "ada")
	check(err)
	_, err = w.Remove(ctx, gen.BetaTesters, "ada")
	check(err)
	w.Settle()
	// Output: thank you, ada
}

// A dwell handler is called while a stay lasts: here once a user has been dormant for 30 days.
func ExampleEngine_OnDwell() {
	w, done := example(func(e *engine.Engine) error {
		return e.OnDwell(gen.WentDormantAfter30Days, engine.DwellHandler{Name: "last call", Func: func(_ context.Context, t engine.Transition) error {
			fmt.Println(t.UserID, "dormant for", t.Tick)
			return nil
		}})
	})
	defer done()

	for range 3 {
		active(w)
	}
	w.Advance(60 * bucket.Day)
	// Output: ada dormant for after-30d
}

// A forwarder takes many transitions at once, such as all joins and leaves for another system.
func ExampleEngine_Forward() {
	w, done := example(func(e *engine.Engine) error {
		return e.Forward(context.Background(), engine.Forwarder{
			Name:          "warehouse",
			Subscriptions: []engine.Subscription{{Name: "warehouse", Kinds: []engine.Kind{engine.Entered, engine.Left}}},
			Func: func(_ context.Context, batch []engine.Delivery) ([]error, error) {
				for _, d := range batch {
					fmt.Println(d.Transition.Key())
				}
				return nil, nil // all are taken
			},
		})
	})
	defer done()

	_, err := w.Add(context.Background(), gen.BetaTesters, "ada")
	check(err)
	w.Settle()
	// Output: bucket:beta-testers:ada:entered:1
}

// Each event of a batch has its own result: one that is refused does not keep the others out.
func ExampleEngine_IngestBatch() {
	w, done := example(nil)
	defer done()

	results, err := w.IngestBatch(context.Background(), []engine.Event{
		{UserID: "ada", Traits: registry.Traits(gen.Properties.Plan.Set("trial"), gen.Properties.TrialDaysLeft.Set(2))},
		{Name: "app.active"}, // of no user
	})
	fmt.Println(results[0].Transitions[0].BucketID)
	fmt.Println(err)
	// Output:
	// trial-expiring-soon
	// ingest event 1: user_id: is empty
}

// The members of a bucket at any time in the past are known.
func ExampleEngine_MembersAt() {
	w, done := example(nil)
	defer done()
	ctx := context.Background()
	_, err := w.Add(ctx, gen.BetaTesters, "ada")
	check(err)
	w.Advance(bucket.Day)
	_, err = w.Remove(ctx, gen.BetaTesters, "ada")
	check(err)

	yesterday := w.Time.Now().Add(-bucket.Hour)
	for member, err := range w.MembersAt(ctx, gen.BetaTesters, yesterday) {
		check(err)
		fmt.Println(member.UserID, "since", member.EnteredAt.Format(time.DateOnly))
	}
	now, err := w.Count(ctx, gen.BetaTesters)
	check(err)
	fmt.Println("now:", now)
	// Output:
	// ada since 2026-01-01
	// now: 0
}

// The size of a bucket over time comes with the joins and leaves of each day or hour.
func ExampleEngine_MembershipHistory() {
	w, done := example(nil)
	defer done()
	ctx := context.Background()
	_, err := w.Add(ctx, gen.BetaTesters, "ada")
	check(err)
	w.Advance(bucket.Day)
	_, err = w.Add(ctx, gen.BetaTesters, "bob")
	check(err)

	points, err := w.MembershipHistory(ctx, gen.BetaTesters, w.Time.Now().Add(-bucket.Day), w.Time.Now(), engine.Daily)
	check(err)
	for _, p := range points {
		fmt.Println(p.At.Format(time.DateOnly), "entered", p.Entered, "members", p.Members)
	}
	// Output:
	// 2026-01-01 entered 1 members 1
	// 2026-01-02 entered 1 members 2
}

// History goes through what happened to one user.
func ExampleEngine_History() {
	w, done := example(nil)
	defer done()
	for range 3 {
		active(w)
	}
	w.Advance(14 * bucket.Day)
	active(w)

	for t, err := range w.History(context.Background(), "ada") {
		check(err)
		fmt.Println(t.At.Format(time.DateOnly), t.Kind, t.BucketID)
	}
	// Output:
	// 2026-01-15 entered went-dormant
	// 2026-01-15 left went-dormant
}

// The catalog compares the declared events and properties with those that arrive.
func ExampleEngine_Catalog() {
	w, done := example(nil)
	defer done()
	ctx := context.Background()
	_, err := w.Ingest(ctx, engine.Event{UserID: "ada", Name: "app.activ"})
	check(err)

	c, err := w.Catalog(ctx)
	check(err)
	fmt.Println(c.Drift[0].Says)
	// Output: event "app.active" is declared and has not arrived; what arrives is event "app.activ"
}

// Past events go in by a replay: everything happens in virtual time, at the instant at which it
// would have.
func ExampleReplay_Events() {
	ctx := context.Background()
	pool, done := pgtest.Example()
	defer done()
	e, err := engine.New(pool, gen.Registry, engine.Config{NoClock: true, VirtualTime: true})
	check(err)
	check(e.Start(ctx))
	defer func() { check(e.Stop(ctx)) }()

	start := time.Date(2025, time.March, 1, 0, 0, 0, 0, time.UTC)
	var past iter.Seq2[engine.Event, error] = func(yield func(engine.Event, error) bool) {
		for i := range 3 {
			if !yield(gen.AppActiveEvent{}.In(engine.Event{UserID: "ada", OccurredAt: start.Add(time.Duration(i) * bucket.Day)}), nil) {
				return
			}
		}
	}
	summary, err := e.Replay().Events(ctx, past, engine.ReplayOptions{Until: start.Add(30 * bucket.Day)})
	check(err)
	fmt.Println("events:", summary.Events)
	for t, err := range e.Replay().Transitions(ctx, summary) {
		check(err)
		fmt.Println(t.At.Format(time.DateOnly), t.Kind, t.BucketID)
	}
	// Output:
	// events: 3
	// 2025-03-17 entered went-dormant
}

// example returns an engine on a clock that only the example moves.
func example(prepare func(*engine.Engine) error) (w *enginetest.World, done func()) {
	t, done := pgtest.Testing()
	return enginetest.New(t, pgtest.New(t), gen.Registry, enginetest.Options{Prepare: prepare}), done
}

func active(w *enginetest.World) {
	_, err := w.Ingest(context.Background(), gen.AppActiveEvent{}.By("ada"))
	check(err)
}

// A person asks to be forgotten: nothing about them stays, and the list of erasures names no id.
func ExamplePeople_Erase() {
	ctx := context.Background()
	pool, done := pgtest.Example()
	defer done()
	e, err := engine.New(pool, gen.Registry, engine.Config{SuppressionSecret: "a secret of sixteen bytes or more"})
	check(err)
	check(e.Start(ctx))
	defer func() { check(e.Stop(ctx)) }()
	_, err = e.Ingest(ctx, gen.AppActiveEvent{}.By("ada"))
	check(err)

	_, err = e.People().Erase(ctx, "ada", engine.EraseOptions{Suppress: true, Ticket: "GDPR-17"})
	check(err)

	erasures, _, err := e.People().Erasures(ctx, engine.Page{})
	check(err)
	back, err := e.Ingest(ctx, gen.AppActiveEvent{}.By("ada"))
	check(err)
	fmt.Println(erasures[0].Ticket, erasures[0].Events, back.Suppressed)
	// Output: GDPR-17 1 true
}
