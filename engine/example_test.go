package engine_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/gen" //nolint:depguard // examples are of hosts, which hand their gen in
)

// A host makes an engine, registers handlers, starts it and ingests.
func Example() { //nolint:testableexamples // it works on a database of the host's
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	eng, err := engine.New(pool, gen.Registry, engine.Config{})
	if err != nil {
		log.Panic(err)
	}
	err = eng.OnEnter(gen.WentDormant, engine.EnterHandler{
		Name: "win back",
		Func: func(_ context.Context, t engine.Transition) error {
			log.Printf("%s went dormant at %s", t.UserID, t.At)
			return nil
		},
	})
	if err != nil {
		log.Panic(err)
	}
	if err := eng.Start(ctx); err != nil {
		log.Panic(err)
	}
	defer eng.Stop(context.WithoutCancel(ctx))

	result, err := eng.Ingest(ctx, engine.Event{UserID: "ada", Name: "app.active", Key: "request-4711"})
	if err != nil {
		log.Panic(err)
	}
	for _, t := range result.Transitions {
		fmt.Println(t.Kind, t.BucketID)
	}
}

// Members are a stream: as many are read as are asked for.
func ExampleEngine_Members() { //nolint:testableexamples // as the first
	ctx := context.Background()
	var eng *engine.Engine // a started one
	for member, err := range eng.Members(ctx, gen.PowerUsers) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(member.UserID, member.EnteredAt)
	}
}

// IngestTx makes an event part of what the host commits, with all that follows from it.
func ExampleEngine_IngestTx() { //nolint:testableexamples // as the first
	ctx := context.Background()
	var (
		pool *pgxpool.Pool
		eng  *engine.Engine // a started one
	)
	tx, err := pool.Begin(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Rollback(ctx)
	if _, err := tx.Exec(ctx, "insert into shop.orders (customer, cents) values ($1, $2)", "ada", 1995); err != nil {
		log.Panic(err)
	}
	if _, err := eng.IngestTx(ctx, tx, engine.Event{UserID: "ada", Name: "subscription.started"}); err != nil {
		log.Panic(err)
	}
	if err := tx.Commit(ctx); err != nil {
		log.Panic(err)
	}
}
