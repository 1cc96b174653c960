package engine_test

import (
	"context"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/gen" //nolint:depguard // examples are of hosts, which hand their gen in
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// A deployment makes the definitions of the program the ones that are live: Plan says what that
// changes, Deploy does it, and Backfill brings the users to it who do nothing.
func ExampleEngine_Deploy() {
	ctx := context.Background()
	pool, done := pgtest.Example()
	defer done()
	e, err := engine.New(pool, gen.Registry, engine.Config{NoDeploy: true})
	check(err)
	check(e.Start(ctx))
	defer func() { check(e.Stop(ctx)) }()

	plan, err := e.Plan(ctx, engine.PlanOptions{})
	check(err)
	for _, b := range plan.Buckets {
		fmt.Println(b.ID, b.Status)
	}
	_, err = e.Deploy(ctx, engine.DeployOptions{Emit: engine.EmitLeaves})
	check(err)
	d, err := e.Deployments().Backfill(ctx, nil)
	check(err)
	fmt.Println("deployment", d.No, "finished:", d.Finished())
	// Output:
	// beta-testers new
	// power-users new
	// trial-expiring-soon new
	// went-dormant new
	// deployment 1 finished: true
}

// A paused bucket keeps its members, in every process, until it is resumed.
func ExampleDeployments_Pause() {
	w, done := example(nil)
	defer done()
	ctx := context.Background()

	check(w.Deployments().Pause(ctx, gen.BetaTesters))
	_, err := w.Add(ctx, gen.BetaTesters, "ada")
	fmt.Println(err)
	check(w.Deployments().Resume(ctx, gen.BetaTesters))
	_, err = w.Add(ctx, gen.BetaTesters, "ada")
	fmt.Println(err)
	// Output:
	// add to bucket "beta-testers": the bucket is paused
	// <nil>
}

// Reconcile computes all memberships anew. A healthy system has nothing to repair.
func ExampleDeployments_Reconcile() {
	w, done := example(nil)
	defer done()

	r, err := w.Deployments().Reconcile(context.Background(), nil)
	check(err)
	fmt.Println("repaired:", r.Repaired)
	// Output: repaired: 0
}

// A back-test runs definitions over the log of events, as if they had been deployed from the
// beginning.
func ExampleDeployments_BackTest() {
	w, done := example(nil)
	defer done()
	for range 3 {
		active(w)
	}
	w.Advance(30 * bucket.Day)

	result, err := w.Deployments().BackTest(context.Background(), engine.BackTestOptions{
		Buckets:    []string{"went-dormant"},
		Transition: func(t engine.Transition) { fmt.Println(t.UserID, t.Kind, t.BucketID, t.At.Format(time.DateOnly)) },
	})
	check(err)
	fmt.Println("users:", result.Users)
	// Output:
	// ada entered went-dormant 2026-01-15
	// users: 1
}

// A preview says who would be in a bucket if it were deployed.
func ExampleDeployments_Preview() {
	w, done := example(nil)
	defer done()
	for range 3 {
		active(w)
	}
	w.Advance(14 * bucket.Day)

	p, err := w.Deployments().Preview(context.Background(), gen.WentDormant, engine.PreviewOptions{})
	check(err)
	fmt.Println("members:", p.Members.Count)
	// Output: members: 1
}

// The deployments of a database are listed, the newest first, with the progress of their backfills.
func ExampleDeployments_List() {
	w, done := example(nil)
	defer done()

	ctx := context.Background()
	_, err := w.Deployments().Backfill(ctx, nil)
	check(err)
	for d, err := range w.Deployments().List(ctx) {
		check(err)
		fmt.Println("deployment", d.No, "finished:", d.Finished())
	}
	// Output: deployment 1 finished: true
}

// The members of a bucket stay while its definition is gone, until it is retired.
func ExampleDeployments_Retire() {
	t, done := pgtest.Testing()
	defer done()
	ctx := context.Background()
	pool := pgtest.New(t)
	pilots := bucket.Define(bucket.Spec{ID: "pilots", Kind: bucket.Manual})
	before := enginetest.New(t, pool, registrytest.Build(t, pilots), enginetest.Options{})
	_, err := before.Add(ctx, registrytest.ManualRef(t, before.Registry, "pilots"), "ada")
	check(err)

	now := enginetest.New(t, pool, gen.Registry, enginetest.Options{Config: engine.Config{NoDeploy: true}})
	_, err = now.Deploy(ctx, engine.DeployOptions{})
	check(err)
	r, err := now.Deployments().Retire(ctx, "pilots", nil)
	check(err)
	fmt.Println("left:", r.Left)
	// Output: left: 1
}
