package lookup_test

import (
	"context"
	"fmt"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/lookup"
	"github.com/bucketgen/bucketgen/gen" //nolint:depguard // examples are of hosts, which hand their gen in
	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// A program makes a lookup of its engine, and starts and stops it beside that.
func Example() {
	ctx := context.Background()
	pool, done := pgtest.Example() // in a program: pgxpool.New(ctx, os.Getenv("DATABASE_URL")), and migrate.Up once
	defer done()

	e, err := engine.New(pool, gen.Registry, engine.Config{})
	check(err)
	users, err := lookup.New(e, lookup.Config{})
	check(err)
	check(e.Start(ctx))
	defer func() { check(e.Stop(ctx)) }()
	check(users.Start(ctx))
	defer func() { check(users.Stop(ctx)) }()

	_, err = e.Add(ctx, gen.BetaTesters, "ada")
	check(err)
	has, err := users.HasEach(ctx, gen.BetaTesters, "ada", "bob")
	check(err)
	fmt.Println(has)
	in, err := users.Buckets(ctx, "ada")
	check(err)
	for _, ref := range in {
		fmt.Println(ref.ID())
	}
	// Output:
	// [true false]
	// beta-testers
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
