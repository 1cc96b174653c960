package server_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// job begins a job and waits for its end.
func (m *managed) job(t *testing.T, c *client.Client, job client.NewJob) client.Job {
	t.Helper()
	j, err := c.CreateJob(t.Context(), job)
	if err != nil {
		t.Fatalf("%+v: %v", job, err)
	}
	eventually(t, func() bool {
		j, err = c.GetJob(t.Context(), j.ID)
		return err != nil || !j.FinishedAt.IsZero()
	})
	if err != nil || j.State != client.JobStateDone {
		t.Fatalf("%+v: got %+v, %v", job, j, err)
	}
	return j
}

// jobUsers returns all users of a list of a job.
func jobUsers(t *testing.T, c *client.Client, id int64, list, bucket string) (all []string) {
	t.Helper()
	for p := (client.ListJobUsersParams{List: list, Bucket: bucket, Limit: 2}); ; {
		page, err := c.ListJobUsers(t.Context(), id, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Users {
			all = append(all, u.Kind+":"+u.Value)
		}
		if page.Next == "" {
			return all
		}
		p.After = page.Next
	}
}

// TestJobPlan plans a change as a job, and compares it with the Go API.
func TestJobPlan(t *testing.T) {
	t.Parallel()
	m := newManaged(t)
	for i := range 7 {
		m.is(t, fmt.Sprintf("u%d", i), "pro")
	}
	changed := startOn(t, m.pool, registrytest.Build(t, paying, shrunk), engine.Config{NoClock: true, NoDelivery: true, NoDeploy: true, Now: m.clock.Now, VirtualTime: true})
	other := m.serving(t, changed)
	j := m.job(t, other, client.NewJob{Kind: client.JobKindPlan, Emit: client.EmitAll})
	want, wantErr := changed.Plan(t.Context(), engine.PlanOptions{Emit: engine.EmitAll})
	for i := range want.Buckets { // which 5 are named depends on which page comes first
		slices.Sort(want.Buckets[i].Joining)
	}
	same(t, "plan", j.Plan, nil, want, wantErr)
	if got := jobUsers(t, other, j.ID, "joining", "shrunk"); !slices.Equal(got, []string{"user:u0", "user:u1", "user:u2", "user:u3", "user:u4", "user:u5", "user:u6"}) {
		t.Errorf("joining: got %v", got)
	}
	preview := m.job(t, other, client.NewJob{Kind: client.JobKindPreview, BucketID: "shrunk"})
	ref, _ := changed.Registry().Ref("shrunk")
	wantPreview, wantErr := changed.Deployments().Preview(t.Context(), ref, engine.PreviewOptions{})
	same(t, "preview", preview.Preview, nil, wantPreview, wantErr)
	if got := jobUsers(t, other, preview.ID, "members", "shrunk"); len(got) != 7 {
		t.Errorf("members: got %v", got)
	}
}

// TestJobFunnel counts conditions, and compares each with who is in a bucket of that condition.
func TestJobFunnel(t *testing.T) {
	t.Parallel()
	m := newManaged(t)
	loyal := bucket.Define(bucket.Spec{ID: "loyal", Criteria: bucket.All(
		plan.Is("pro"), orders.AtLeast(1), bucket.Any(orders.AtLeast(3), bucket.Not(plan.Is("pro"))), bucket.Not(orders.AtLeast(5)),
	)})
	e := startOn(t, m.pool, registrytest.Build(t, loyal, testers), engine.Config{NoClock: true, NoDelivery: true, NoDeploy: true, Now: m.clock.Now, VirtualTime: true})
	c := m.serving(t, e)
	for i := range 12 { // even ones are pro; i/2 orders
		user := fmt.Sprintf("u%02d", i)
		m.is(t, user, []string{"pro", "free"}[i%2])
		for range i / 2 {
			m.does(t, user, "order")
		}
	}
	m.is(t, "gone", "pro")
	if err := m.engine.Delete(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	j := m.job(t, c, client.NewJob{Kind: client.JobKindFunnel, BucketID: "loyal"})
	type part struct {
		Words                  string
		Count, Remaining, Only int64
		Parts                  []part
	}
	var short func(p *client.FunnelPart) part
	short = func(p *client.FunnelPart) part {
		out := part{Words: p.Words, Count: p.Count.Count, Remaining: -1, Only: -1}
		if p.Remaining != nil {
			out.Remaining = p.Remaining.Count
		}
		if p.Only != nil {
			out.Only = p.Only.Count
		}
		for i := range p.Parts {
			out.Parts = append(out.Parts, short(&p.Parts[i]))
		}
		return out
	}
	// u00 has 0 orders, u02 1, u04 2, u06 3, u08 4, u10 5: u06 and u08 are loyal. u00 fails two
	// conditions, u02 and u04 only the third.
	want := part{"all of:", 2, -1, -1, []part{
		{`plan is "pro"`, 6, 6, 4, nil}, // u03, u05, u07 and u09 would be in it but for the plan
		{"order at least once ever", 10, 5, 0, nil},
		{"any of:", 9, 3, 2, []part{{"order at least 3 times ever", 6, -1, -1, nil}, {`not: plan is "pro"`, 6, -1, -1, nil}}},
		{"not: order at least 5 times ever", 10, 2, 1, nil},
	}}
	if diff := cmp.Diff(want, short(j.Funnel.Criteria)); diff != "" {
		t.Errorf("funnel (-want +got):\n%s", diff)
	}
	if got := jobUsers(t, c, j.ID, fmt.Sprintf("only:%d", j.Funnel.Criteria.Parts[2].Node), "loyal"); !slices.Equal(got, []string{"user:u02", "user:u04"}) {
		t.Errorf("who fails the third only: got %v", got)
	}
	manual := m.job(t, c, client.NewJob{Kind: client.JobKindFunnel, BucketID: "testers"})
	if manual.Funnel.Criteria != nil || manual.Funnel.Users != 13 {
		t.Errorf("of a manual bucket: got %+v", manual.Funnel)
	}
}

// TestJobStays counts stays that overlap, follow each other, and last.
func TestJobStays(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	for i := range 10 {
		user := fmt.Sprintf("u%d", i)
		m.is(t, user, "pro")
		if i < 4 {
			if _, err := m.admin.AddMember(ctx, "testers", user); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := m.engine.Delete(ctx, "u9"); err != nil {
		t.Fatal(err)
	}
	o := m.job(t, m.read, client.NewJob{Kind: client.JobKindOverlap, BucketID: "pro", With: []string{"testers", "active"}}).Overlap
	if o.Members.Count != 9 || len(o.Others) != 1 || o.Others[0].BucketID != "testers" || o.Others[0].Both.Count != 4 || o.Others[0].Members.Count != 4 {
		t.Errorf("overlap: got %+v", o)
	}
	sets := []client.OverlapSet{{BucketIDs: []string{"pro"}, Users: client.Estimate{Count: 5}}, {BucketIDs: []string{"pro", "testers"}, Users: client.Estimate{Count: 4}}}
	if diff := cmp.Diff(sets, o.Sets); diff != "" {
		t.Errorf("sets (-want +got):\n%s", diff)
	}
	sampled := m.job(t, m.read, client.NewJob{Kind: client.JobKindOverlap, BucketID: "pro", Sample: 0.5}).Overlap
	if sampled.Members.PlusMinus == 0 || len(sampled.Sets) != 0 {
		t.Errorf("of a sample: got %+v, want an estimate", sampled)
	}

	m.clock.Advance(2 * time.Hour)
	for i := range 3 { // leave pro after 2 h, and 2 of them testers after 1 h more
		m.is(t, fmt.Sprintf("u%d", i), "free")
	}
	m.clock.Advance(time.Hour)
	for i := range 2 {
		if _, err := m.admin.RemoveMember(ctx, "testers", fmt.Sprintf("u%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	m.clock.Advance(30 * time.Minute)
	m.is(t, "u0", "pro")
	m.clock.Advance(time.Minute)
	d := m.job(t, m.read, client.NewJob{Kind: client.JobKindDwell, BucketID: "pro"}).Dwell
	if d.Ended != 3 || d.MedianSeconds != 7200 || d.P90Seconds != 7200 || d.MeanSeconds != 7200 || len(d.Histogram) != 13 || d.Histogram[3] != (client.DwellBin{FromSeconds: 3600, ToSeconds: 21600, Stays: 3}) {
		t.Errorf("dwell: got %+v", d)
	}
	none := m.job(t, m.read, client.NewJob{Kind: client.JobKindDwell, BucketID: "pro", Since: m.clock.Now().Add(-time.Hour)}).Dwell
	if none.Ended != 0 || none.MedianSeconds != 0 {
		t.Errorf("dwell of the last hour: got %+v", none)
	}
	f := m.job(t, m.read, client.NewJob{Kind: client.JobKindFlows, BucketID: "testers", WithinSeconds: 3600}).Flows
	if f.Entered != 4 || f.Left != 2 || len(f.From) != 0 || !cmp.Equal(f.To, []client.FlowBucket{{BucketID: "pro", Stays: 1}}) {
		t.Errorf("flows of testers: got %+v", f)
	}
	f = m.job(t, m.read, client.NewJob{Kind: client.JobKindFlows, BucketID: "pro", WithinSeconds: 3600}).Flows
	if f.Entered != 11 || f.Left != 3 || !cmp.Equal(f.From, []client.FlowBucket{{BucketID: "testers", Stays: 1}}) || len(f.To) != 0 {
		t.Errorf("flows of pro: got %+v", f)
	}
	f = m.job(t, m.read, client.NewJob{Kind: client.JobKindFlows, BucketID: "pro", WithinSeconds: 60}).Flows
	if len(f.From) != 0 {
		t.Errorf("flows within a minute: got %+v", f)
	}
}

// TestJobBackTest runs a back-test against what happened, a reconciliation and a retirement.
func TestJobBackTest(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	m.is(t, "ada", "pro")
	m.does(t, "bob", "order")
	j := m.job(t, m.read, client.NewJob{Kind: client.JobKindBacktest, With: []string{"pro"}, Recorded: true})
	want, wantErr := m.engine.Deployments().BackTest(ctx, engine.BackTestOptions{Buckets: []string{"pro"}, Against: engine.BackTestAgainst{Recorded: true}})
	same(t, "back-test", j.BackTest, nil, want, wantErr)
	if len(j.BackTest.Buckets) != 1 || j.BackTest.Buckets[0].Against == nil || j.BackTest.Buckets[0].Members != 1 {
		t.Errorf("got %+v", j.BackTest)
	}

	_, err := m.read.CreateJob(ctx, client.NewJob{Kind: client.JobKindReconcile})
	refused(t, "a reader reconciles", err, 403, "kind")
	if _, err := m.pool.Exec(ctx, "update bucketgen.memberships set left_at = now(), reason = 'criteria'"); err != nil {
		t.Fatal(err)
	}
	r := m.job(t, m.admin, client.NewJob{Kind: client.JobKindReconcile})
	if r.Reconcile.Checked != 2 || r.Reconcile.Repaired == 0 || r.By != "ops" {
		t.Errorf("reconcile: got %+v, %+v", r, r.Reconcile)
	}
	bad, err := m.admin.CreateJob(ctx, client.NewJob{Kind: client.JobKindRetire, BucketID: "pro"})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		bad, err = m.read.GetJob(ctx, bad.ID)
		return err != nil || bad.State == client.JobStateFailed
	})
	if err != nil || bad.Error == "" {
		t.Errorf("retire what is deployed: got %+v, %v", bad, err)
	}
	audit, err := m.read.ListAudit(ctx, client.ListAuditParams{Limit: 2})
	if err != nil || audit.Entries[0].Action != "retire" || audit.Entries[0].BucketID != "pro" || audit.Entries[1].Action != "reconcile" {
		t.Errorf("the audit log: got %+v, %v", audit, err)
	}
}

// TestJobRefused asks for jobs that cannot be.
func TestJobRefused(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	for field, job := range map[string]client.NewJob{
		"kind": {Kind: "dance"}, "bucketId": {Kind: client.JobKindFunnel}, "sample": {Kind: client.JobKindPlan, Sample: 2},
		"with": {Kind: client.JobKindBacktest, With: []string{"por"}}, "against": {Kind: client.JobKindBacktest, Against: "por"},
	} {
		_, err := m.read.CreateJob(ctx, job)
		refused(t, field, err, 400, field)
	}
	_, err := m.read.GetJob(ctx, 99)
	refused(t, "unknown", err, 404, "id")
	_, err = m.read.CancelJob(ctx, 99)
	refused(t, "cancel unknown", err, 404, "id")
	_, err = m.read.ListJobUsers(ctx, 99, client.ListJobUsersParams{})
	refused(t, "users of unknown", err, 404, "id")
	j := m.job(t, m.admin, client.NewJob{Kind: client.JobKindDwell, BucketID: "pro"})
	_, err = m.read.CancelJob(ctx, j.ID)
	refused(t, "cancel another person's", err, 403, "id")
	if again, err := m.admin.CancelJob(ctx, j.ID); err != nil || again.State != client.JobStateDone {
		t.Errorf("cancel what is done: got %+v, %v", again, err)
	}
	list, err := m.read.ListJobs(ctx, client.ListJobsParams{})
	if err != nil || len(list.Jobs) != 1 || list.Jobs[0].Dwell != nil || list.Jobs[0].ID != j.ID {
		t.Errorf("list: got %+v, %v", list, err)
	}
}
