package server_test

import (
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestManageDeployments plans, and lists deployments and processes.
func TestManageDeployments(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	m.is(t, "ada", "pro")
	m.is(t, "bob", "pro")
	got, err := m.read.GetPlan(ctx, client.GetPlanParams{})
	want, wantErr := m.engine.Plan(ctx, engine.PlanOptions{})
	same(t, "plan", got, err, want, wantErr)
	changed := startOn(t, m.pool, registrytest.Build(t, paying, shrunk), engine.Config{NoClock: true, NoDelivery: true, NoDeploy: true, Now: m.clock.Now, VirtualTime: true})
	other := m.serving(t, changed)
	got, err = other.GetPlan(ctx, client.GetPlanParams{Users: -1, Emit: client.EmitAll, Sample: 1})
	want, wantErr = changed.Plan(ctx, engine.PlanOptions{Users: -1, Emit: engine.EmitAll})
	same(t, "plan of a change", got, err, want, wantErr)
	if len(got.Buckets) != 4 || got.Users != 2 {
		t.Errorf("plan: got %+v", got)
	}
	detail, err := other.GetBucket(ctx, "shrunk")
	if err != nil || !detail.OtherDeployed {
		t.Errorf("what is not deployed: got %+v, %v", detail, err)
	}
	for field, params := range map[string]client.GetPlanParams{
		"sample": {Sample: 1.5}, "users": {Users: 1001}, "emit": {Emit: "some"},
	} {
		_, err := m.read.GetPlan(ctx, params)
		refused(t, field, err, 400, field)
	}
	_, err = m.read.GetPlan(ctx, client.GetPlanParams{Sample: -1})
	refused(t, "a negative sample", err, 400, "sample")

	for range 3 {
		if _, err := m.admin.PauseBucket(ctx, "pro"); err != nil {
			t.Fatal(err)
		}
		if _, err := m.admin.ResumeBucket(ctx, "pro"); err != nil {
			t.Fatal(err)
		}
	}
	deployments, err := m.read.ListDeployments(ctx, client.ListDeploymentsParams{Limit: 3})
	all, _, wantErr := m.engine.Deployments().ListPage(ctx, engine.Page{Size: 3})
	same(t, "deployments", deployments.Deployments, err, all, wantErr)
	if len(all) != 3 || deployments.Deployments[0].Kind != client.ChangeResume {
		t.Errorf("got %+v", deployments)
	}
	var listed []engine.Deployment
	for d, err := range m.engine.Deployments().List(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, d)
	}
	var paged []client.Deployment
	for d, err := range m.read.Deployments(ctx, client.ListDeploymentsParams{Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		paged = append(paged, d)
	}
	same(t, "deployments in pages", paged, nil, listed, nil)
	if len(listed) < 7 || listed[len(listed)-1].No != 1 {
		t.Errorf("got %d deployments, the first of them %+v; want all", len(listed), listed[len(listed)-1])
	}
	_, err = m.read.ListDeployments(ctx, client.ListDeploymentsParams{Limit: -1})
	refused(t, "no deployments", err, 400, "limit")

	eventually(t, func() bool {
		processes, err := m.engine.Deployments().Processes(ctx)
		return err == nil && len(processes) == 2
	})
	processes, err := m.read.ListProcesses(ctx)
	running, wantErr := m.engine.Deployments().Processes(ctx)
	same(t, "processes", unseen(processes.Processes), err, unseen(running), wantErr)
	if p := running[0]; p.Buckets != 3 || p.Version == "" {
		t.Errorf("the process is %+v, want 3 buckets and a version", p)
	}
}

// unseen leaves out of processes what the next heartbeat changes.
func unseen[P client.Process | engine.Process](all []P) []P {
	for i := range all {
		switch p := any(&all[i]).(type) {
		case *client.Process:
			p.SeenAt, p.EventsPerSecond, p.Waiting, p.ClockLagMs = time.Time{}, 0, 0, 0
		case *engine.Process:
			p.SeenAt, p.EventsPerSecond, p.Waiting, p.ClockLagMs = time.Time{}, 0, 0, 0
		}
	}
	return all
}
