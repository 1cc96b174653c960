package engine_test

import (
	"context"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/gen" //nolint:depguard // examples are of hosts, which hand their gen in
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/registry"
)

// A program makes an engine of its pool and its generated registry, registers handlers of joins and
// leaves, starts it, and hands it what users do.
func Example() {
	ctx := context.Background()
	pool, done := pgtest.Example() // in a program: pgxpool.New(ctx, os.Getenv("DATABASE_URL")), and migrate.Up once
	defer done()

	e, err := engine.New(pool, gen.Registry, engine.Config{})
	check(err)
	welcomed := make(chan string, 1)
	check(e.OnEnter(gen.PowerUsers, engine.EnterHandler{
		Name: "welcome", // under which deliveries wait while no process serves them
		Func: func(_ context.Context, t engine.Transition) error {
			welcomed <- t.UserID
			return nil
		},
	}))
	check(e.Start(ctx))
	defer func() { check(e.Stop(ctx)) }()

	_, err = e.Ingest(ctx, engine.Event{UserID: "ada", Traits: registry.Traits(gen.Properties.Plan.Set("pro"))})
	check(err)
	for i := range 5 {
		// With a key, an event can be sent again without being counted twice.
		result, err := e.Ingest(ctx, gen.AppActiveEvent{}.In(engine.Event{UserID: "ada", Key: fmt.Sprint("visit-", i)}))
		check(err)
		for _, t := range result.Transitions {
			fmt.Println(t.UserID, t.Kind, t.BucketID)
		}
	}
	fmt.Println("welcome,", <-welcomed)

	has, err := e.Has(ctx, gen.PowerUsers, "ada")
	check(err)
	fmt.Println("power user:", has)
	// Output:
	// ada entered power-users
	// welcome, ada
	// power user: true
}

// Manual buckets have no criteria: users are added and removed.
func ExampleEngine_Add() {
	ctx := context.Background()
	pool, done := pgtest.Example()
	defer done()
	e, err := engine.New(pool, gen.Registry, engine.Config{})
	check(err)
	check(e.Start(ctx))
	defer func() { check(e.Stop(ctx)) }()

	for _, user := range []string{"ada", "bob"} {
		_, err := e.Add(ctx, gen.BetaTesters, user)
		check(err)
	}
	for member, err := range e.Members(ctx, gen.BetaTesters) {
		check(err)
		fmt.Println(member.UserID, member.Source)
	}
	// Output:
	// ada manual
	// bob manual
}

// An event can be taken in by the transaction of the program: it is there if that commits, with all
// that it changes.
func ExampleEngine_IngestTx() {
	ctx := context.Background()
	pool, done := pgtest.Example()
	defer done()
	e, err := engine.New(pool, gen.Registry, engine.Config{})
	check(err)
	check(e.Start(ctx))
	defer func() { check(e.Stop(ctx)) }()

	tx, err := pool.Begin(ctx)
	check(err)
	results, err := e.IngestTx(ctx, tx, engine.Event{UserID: "ada", Traits: registry.Traits(
		gen.Properties.Plan.Set("trial"), gen.Properties.TrialDaysLeft.Set(2),
	)})
	check(err)
	fmt.Println(results[0].Transitions[0].Event())
	check(tx.Rollback(ctx))
	has, err := e.Has(ctx, gen.TrialExpiringSoon, "ada")
	check(err)
	fmt.Println(has)
	// Output:
	// bucket:entered:trial-expiring-soon
	// false
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A feed returns every transition once, from the cursor at which a reader stopped before.
func ExampleEngine_Feed() {
	ctx := context.Background()
	pool, done := pgtest.Example()
	defer done()
	e, err := engine.New(pool, gen.Registry, engine.Config{})
	check(err)
	check(e.Start(ctx))
	defer func() { check(e.Stop(ctx)) }()

	var kept string // the cursor, which a reader stores with its own state
	for item, err := range e.Feed(ctx, engine.FeedOptions{}) {
		check(err)
		kept = item.Cursor.String()
		break // the first item says where the feed begins
	}
	_, err = e.Add(ctx, gen.BetaTesters, "ada")
	check(err)
	after, err := engine.ParseCursor(kept)
	check(err)
	for item, err := range e.Feed(ctx, engine.FeedOptions{After: after, Buckets: []registry.BucketRef{gen.BetaTesters}}) {
		check(err)
		if t := item.Transition; t != nil {
			fmt.Println(t.UserID, t.Kind, t.BucketID)
			break
		}
	}
	// Output: ada entered beta-testers
}

// A sign-up merges what a visitor did before into the new account, in the transaction that makes
// the account.
func ExampleEngine_MergeTx() {
	ctx := context.Background()
	pool, done := pgtest.Example()
	defer done()
	e, err := engine.New(pool, gen.Registry, engine.Config{})
	check(err)
	check(e.Start(ctx))
	defer func() { check(e.Stop(ctx)) }()
	_, err = e.Add(ctx, gen.BetaTesters, "visitor-7")
	check(err)

	tx, err := pool.Begin(ctx)
	check(err)
	_, err = e.MergeTx(ctx, tx, "visitor-7", "ada")
	check(err)
	check(tx.Commit(ctx))

	has, err := e.Has(ctx, gen.BetaTesters, "ada")
	check(err)
	id, err := e.Users().CanonicalID(ctx, "visitor-7")
	check(err)
	fmt.Println(has, id)
	// Output: true ada
}

// Explain says why a user is in a bucket or not.
func ExampleEngine_Explain() {
	ctx := context.Background()
	pool, done := pgtest.Example()
	defer done()
	e, err := engine.New(pool, gen.Registry, engine.Config{})
	check(err)
	check(e.Start(ctx))
	defer func() { check(e.Stop(ctx)) }()
	_, err = e.Ingest(ctx, engine.Event{UserID: "ada", Traits: registry.Traits(gen.Properties.Plan.Set("pro"))})
	check(err)

	why, err := e.Explain(ctx, gen.PowerUsers, "ada")
	check(err)
	fmt.Println(why.Member)
	// Output: false
}

// The outbox lists dead letters, and delivers them again.
func ExampleOutbox_Replay() {
	ctx := context.Background()
	pool, done := pgtest.Example()
	defer done()
	e, err := engine.New(pool, gen.Registry, engine.Config{})
	check(err)
	check(e.Start(ctx))
	defer func() { check(e.Stop(ctx)) }()

	for letter, err := range e.Outbox().DeadLetters(ctx, "welcome") {
		check(err)
		fmt.Println(letter.Transition.UserID, letter.Error)
	}
	replayed, err := e.Outbox().Replay(ctx) // all of them
	check(err)
	fmt.Println(replayed)
	// Output: 0
}

// A handler says when to try again, or that it is no use.
func ExampleGiveUp() {
	respond := func(status int) error {
		err := fmt.Errorf("the mail server answered %d", status)
		switch status {
		case 429:
			return engine.RetryAfter(time.Minute, err)
		case 410:
			return engine.GiveUp(err)
		default:
			return err
		}
	}
	fmt.Println(respond(410))
	// Output: the mail server answered 410
}
