package openfeature_test

import (
	"context"
	"fmt"

	sdk "github.com/open-feature/go-sdk/openfeature"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/lookup"
	"github.com/bucketgen/bucketgen/engine/openfeature"
	"github.com/bucketgen/bucketgen/gen" //nolint:depguard // examples are of hosts, which hand their gen in
	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// A program that reads its flags by OpenFeature asks for a bucket as for any other flag.
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
	check(sdk.SetNamedProviderWithContextAndWait(ctx, "shop", openfeature.New(users)))

	_, err = e.Add(ctx, gen.BetaTesters, "ada")
	check(err)
	flags := sdk.NewClient("shop")
	for _, user := range []string{"ada", "bob"} {
		fmt.Println(user, flags.Boolean(ctx, "bucket:beta-testers", false, sdk.NewEvaluationContext(user, nil)))
	}
	// Output:
	// ada true
	// bob false
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
