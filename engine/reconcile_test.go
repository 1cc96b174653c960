package engine_test

import (
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// TestReconcileRepairs changes memberships and due instants by hand, and lets the engine find out.
func TestReconcileRepairs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars, dormant)
	for _, user := range []string{"ada", "bob", "cy", "dee"} {
		w.identify(user, map[string]any{"plan": "pro"})
		w.track(user, "visit")
	}
	reconcile := func() engine.Reconciliation {
		t.Helper()
		r, err := w.Deployments().Reconcile(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Checked != 4 || r.FinishedAt.IsZero() {
			t.Errorf("got %+v, want 4 users checked", r)
		}
		return r
	}
	if r := reconcile(); r.Repaired != 0 {
		t.Errorf("repaired %d rows where nothing was wrong", r.Repaired)
	}
	for _, sql := range []string{
		"delete from bucketgen.memberships where contact_id = 1",
		"delete from bucketgen.transitions where contact_id = 1",
		"delete from bucketgen.due where contact_id = 2",
		`update bucketgen.contacts set properties = '{"plan": "free"}', version = version + 1 where id = 3`,
		"delete from bucketgen.due where contact_id = 4 and bucket_no = (select no from bucketgen.buckets where id = 'pro')",
	} {
		execSQL(t, w, sql)
	}
	if r := reconcile(); r.Repaired != 3 {
		t.Errorf("repaired %d rows, want 3", r.Repaired)
	}
	equal(t, "ada", w.history("ada"), []string{"entered pro 1"})
	equal(t, "cy", w.history("cy")[1:], []string{"left pro 1 by criteria"})
	w.clock.Advance(bucket.Day)
	w.settle()
	equal(t, "bob", w.history("bob")[1:], []string{"entered dormant 1"})
	if r := reconcile(); r.Repaired != 0 {
		t.Errorf("repaired %d rows again", r.Repaired)
	}
}

// TestReconcileGoesOn lets a process die in the middle of a reconciliation: the next one that is
// asked goes on from there, once the lease is over.
func TestReconcileGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	for i := range 9 {
		w.identify("u"+itoa(i), map[string]any{"plan": "pro"})
	}
	execSQL(t, w, `insert into bucketgen.reconciliations (started_at, users, upto_id, cursor_id, checked, repaired, lease, leased_until)
		values (now(), 9, 9, 4, 4, 1, gen_random_uuid(), '`+w.clock.Now().Add(-time.Second).Format(time.RFC3339)+`')`)
	r, err := w.Deployments().Reconcile(t.Context(), nil)
	if err != nil || r.No != 1 || r.Checked != 9 || r.Repaired != 1 {
		t.Errorf("got %+v, %v; want the first reconciliation, with 9 users checked", r, err)
	}
}

// TestReconcileBySchedule breaks a membership of a bucket that is reconciled every hour.
func TestReconcileBySchedule(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bucket.Define(bucket.Spec{ID: "hourly", Criteria: plan.Is("pro"), ReconcileEvery: time.Hour}))
	w.identify("ada", map[string]any{"plan": "pro"})
	execSQL(t, w, "delete from bucketgen.memberships")
	execSQL(t, w, "delete from bucketgen.transitions")
	e := w.start(engine.Config{NoDelivery: true}, nil)
	eventually(t, func() bool {
		has, err := e.Has(t.Context(), w.ref("hourly"), "ada")
		return err == nil && has
	})
}
