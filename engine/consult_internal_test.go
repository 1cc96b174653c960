package engine

import (
	"context"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// TestConsult consults a user who is due while another transaction holds the lock: it returns the
// transitions to come, does not wait for the lock, and changes nothing.
func TestConsult(t *testing.T) {
	t.Parallel()
	ctx, pool, now := t.Context(), pgtest.New(t), time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	visit := bucket.Event("visit")
	r := registrytest.Build(t, bucket.Define(bucket.Spec{ID: "today", Criteria: visit.Within(bucket.Day).AtLeast(2)}))
	e, err := New(pool, r, Config{Now: func() time.Time { return now }, NoClock: true, NoDelivery: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(ctx); err != nil {
		t.Fatal(err)
	}
	defer e.Stop(ctx)
	for range 2 {
		if _, err := e.Ingest(ctx, Event{UserID: "ada", Name: "visit"}); err != nil {
			t.Fatal(err)
		}
	}
	tx, err := pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(ctx)
	if _, err := tx.Exec(ctx, "select from bucketgen.contacts for update"); err != nil {
		t.Fatal(err)
	}

	now = now.Add(bucket.Day)
	ada, unknown := &transact.Task{Want: store.Request{User: "ada"}}, &transact.Task{Want: store.Request{User: "unknown"}}
	ada.Step = (*decide.Session).Clock
	unknown.Step = func(*decide.Session, table.Instant) decide.Result {
		t.Error("the step of an unknown user was called")
		return decide.Result{}
	}
	visited := 0
	if err := e.runner.Consult(ctx, []*transact.Task{ada, unknown}, func(task *transact.Task, st *decide.State, _ *decide.Session) {
		if visited++; task != ada || len(st.Stays) != 1 || st.Stays[0].Active() {
			t.Errorf("got %v of %q, want a stay that is over, of ada", st.Stays, task.Want.User)
		}
	}); err != nil {
		t.Fatal(err)
	}
	left := ada.Result.Transitions
	if len(left) != 1 || left[0].Kind != Left || visited != 1 || ada.Missed || !unknown.Missed {
		t.Errorf("got %v, %d users; want one leave, of ada", left, visited)
	}
	has, err := e.Has(ctx, registrytest.Ref(t, r, "today"), "ada")
	if err != nil || !has {
		t.Errorf("ada is stored as a member: %t, %v; want true", has, err)
	}
}

// TestFollowWhoIsGone lets users follow who were removed by hand since they were found: one is
// another contact now, one is unknown now.
func TestFollowWhoIsGone(t *testing.T) {
	t.Parallel()
	ctx, pool := t.Context(), pgtest.New(t)
	visit := bucket.Event("visit")
	var engines []*Engine
	for n := range 2 {
		r := registrytest.Build(t, bucket.Define(bucket.Spec{ID: "visitors", Criteria: visit.AtLeast(n + 1)}))
		e, err := New(pool, r, Config{NoClock: true, NoDelivery: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Start(ctx); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Stop(context.WithoutCancel(ctx)) })
		engines = append(engines, e)
	}
	for range 2 {
		if _, err := engines[0].Ingest(ctx, Event{UserID: "ada", Name: "visit"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := engines[1].Deploy(ctx, DeployOptions{}); err != nil {
		t.Fatal(err)
	}
	var report db.DeploymentsReportParams
	missed, err := engines[1].rollout().Follow(ctx, []transact.User{{Contact: 1000, ID: "ada"}, {Contact: 1001, ID: "unknown"}}, &report)
	if err != nil || missed != 1 || report.Followed != 1 || report.Gone != 0 {
		t.Errorf("got %d missed, %+v, %v; want ada to follow, and to stay", missed, report, err)
	}
	if repaired, err := engines[1].rollout().ReconcileUsers(ctx, []transact.User{{Contact: 1001, ID: "unknown"}}); err != nil || repaired != 0 {
		t.Errorf("reconcile who is gone: got %d, %v", repaired, err)
	}
}
