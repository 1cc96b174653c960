package server_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestManageCriteria reads criteria as trees, and what depends on buckets.
func TestManageCriteria(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	ordersOf := bucket.Define(bucket.Spec{ID: "rich", MinDwell: bucket.Hour, Criteria: bucket.All(
		plan.Is("pro"), bucket.Not(orders.Within(14*bucket.Day).AtLeast(5)), bucket.Any(bucket.InBucket("pro"), plan.Exists()),
	)})
	r := registrytest.Build(t, paying, ordersOf, testers)
	e, err := engine.New(m.pool, r, engine.Config{NoClock: true, NoDeploy: true, Now: m.clock.Now, VirtualTime: true})
	if err == nil {
		err = e.Start(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Stop(ctx) })
	c := m.serving(t, e)
	for _, id := range []string{"rich", "pro", "testers"} {
		got, err := c.GetCriteria(ctx, id)
		want, wantErr := e.Inspect().Criteria(registrytest.Ref(t, r, id))
		same(t, id, got, err, want, wantErr)
		uses, err := c.GetUses(ctx, id)
		wantUses, wantErr := e.Inspect().Uses(ctx, registrytest.Ref(t, r, id))
		same(t, "uses of "+id, uses, err, wantUses, wantErr)
	}
	got, err := c.GetCriteria(ctx, "rich")
	if err != nil {
		t.Fatal(err)
	}
	root := got.Criteria
	if root.Op != "all" || len(root.Parts) != 3 || !got.Timed || !slices.Equal(got.Asks, []string{"pro"}) || !slices.Equal(got.Wakes, []string{"bucket", "clock", "event", "property"}) {
		t.Fatalf("got %+v", got)
	}
	want := []client.CriteriaNode{
		{Words: `plan is "pro"`, Op: "is", Property: "plan", Wakes: []string{"property"}},
		{
			Words: "not: order at least 5 times in the last 14 days", Op: "at_least", Negated: true, Events: []string{"order"}, Count: 5, Window: "in the last 14 days",
			WindowSeconds: (14 * 24 * time.Hour).Seconds(), Wakes: []string{"event", "clock"},
		},
	}
	if diff := cmp.Diff(want, root.Parts[:2]); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	if in := root.Parts[2].Parts[0]; in.Bucket != "pro" || in.Op != "in_bucket" {
		t.Errorf("got %+v", in)
	}
	uses, err := c.GetUses(ctx, "pro")
	if err != nil || !slices.Equal(uses.AskedBy, []string{"rich"}) || !slices.Equal(uses.Properties, []string{"plan"}) || len(uses.Subscriptions) != 1 || uses.Subscriptions[0].Name != "welcome" {
		t.Errorf("uses of pro: got %+v, %v", uses, err)
	}
	manual, err := c.GetCriteria(ctx, "testers")
	if err != nil || !manual.Manual || manual.Criteria.Op != "" || manual.Timed {
		t.Errorf("got %+v, %v", manual, err)
	}
	_, err = c.GetCriteria(ctx, "por")
	refused(t, "criteria of another", err, 404, "bucket")
	_, err = c.GetUses(ctx, "por")
	refused(t, "uses of another", err, 404, "bucket")
}

// TestManageDefinitions lists what was deployed, and subscriptions, page by page.
func TestManageDefinitions(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	m.clock.Advance(time.Hour)
	e, err := engine.New(m.pool, registrytest.Build(t, shrunk, testers), engine.Config{NoClock: true, Now: m.clock.Now, VirtualTime: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Deploy(ctx, engine.DeployOptions{}); err != nil {
		t.Fatal(err)
	}
	whole, err := m.read.ListDefinitions(ctx, client.ListDefinitionsParams{})
	want, wantErr := m.engine.Deployments().Definitions(ctx)
	same(t, "definitions", whole.Definitions, err, want, wantErr)
	if len(want) != 4 {
		t.Fatalf("got %d definitions", len(want))
	}
	var got []client.Definition
	for params := (client.ListDefinitionsParams{Limit: 1}); ; {
		page, err := m.read.ListDefinitions(ctx, params)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, page.Definitions...)
		if params.After = page.Next; params.After == "" {
			break
		}
	}
	same(t, "one by one", got, nil, want, nil)
	one, err := m.read.ListDefinitions(ctx, client.ListDefinitionsParams{Bucket: "active"})
	if err != nil || len(one.Definitions) != 1 || one.Definitions[0].UntilAt.IsZero() {
		t.Errorf("of one bucket: got %+v, %v", one, err)
	}
	subscriptions, err := m.read.ListSubscriptions(ctx, client.ListSubscriptionsParams{Limit: 1})
	page, _, wantErr := m.engine.Inspect().Subscriptions(ctx, "", 1)
	same(t, "subscriptions", subscriptions.Subscriptions, err, page, wantErr)
	if len(page) != 1 || page[0].BucketID != "pro" || subscriptions.Next != "" {
		t.Errorf("got %+v", subscriptions)
	}
	_, err = m.read.ListSubscriptions(ctx, client.ListSubscriptionsParams{After: "x"})
	refused(t, "a cursor", err, 400, "after")
	_, err = m.read.ListDefinitions(ctx, client.ListDefinitionsParams{After: "x"})
	refused(t, "a cursor", err, 400, "after")
}
