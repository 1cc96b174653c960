package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/jobs"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/service"
)

// Job is long work that a process does in the background.
type Job = bucketgen.Job

// JobKind is what a job does.
type JobKind = bucketgen.JobKind

// JobParams say what a job is about. Each kind takes some of them.
type JobParams = bucketgen.JobParams

// ErrUnknownJob says that there is no job with a number: there never was, or it is too long ago.
var ErrUnknownJob = bucketgen.ErrUnknownJob

// Begin begins a job, for a person with a name, and returns it. An equal job that is unfinished is
// returned instead. A running engine that has not set [Config].NoJobs does it: one with the same
// definitions, if the job is about those. What the job is about is checked: a wrong field gives an
// [*InvalidError]. If too many jobs are unfinished, the error is [ErrBusy].
func (g *Jobs) Begin(ctx context.Context, kind JobKind, p JobParams, by string) (Job, error) {
	e := (*Engine)(g)
	j, err := e.beginJob(ctx, kind, p, by)
	if err != nil {
		return Job{}, fmt.Errorf("begin a job: %w", err)
	}
	return j, nil
}

func (e *Engine) beginJob(ctx context.Context, kind JobKind, p JobParams, by string) (Job, error) {
	if err := e.ready(); err != nil {
		return Job{}, err
	}
	if err := jobs.Check(kind, p); err != nil {
		return Job{}, err
	}
	fingerprint := ""
	switch kind {
	case bucketgen.JobPlan, bucketgen.JobReconcile:
		fingerprint = e.registry.Fingerprint
	case bucketgen.JobPreview, bucketgen.JobFunnel, bucketgen.JobBackTest:
		fingerprint = e.registry.Fingerprint
		for field, ids := range map[string][]string{"bucketId": {p.BucketID}, "with": p.With, "against": {p.Against}} {
			for _, id := range ids {
				if _, known := e.handle.Ref(id); !known && id != "" {
					return Job{}, &InvalidError{Field: field, Problem: fmt.Sprintf("there is no bucket %q", id)}
				}
			}
		}
	default:
	}
	no, err := e.jobQueue().Begin(ctx, kind, p, by, fingerprint)
	if err != nil {
		return Job{}, err
	}
	for _, loop := range e.workers {
		loop.Wake()
	}
	return e.jobQueue().Get(ctx, no)
}

// Get returns a job, with its result if it is done. It is kept for [Config].JobAge after its end.
func (g *Jobs) Get(ctx context.Context, id int64) (Job, error) {
	j, err := (*Engine)(g).jobQueue().Get(ctx, id)
	if err != nil {
		return Job{}, fmt.Errorf("job %d: %w", id, err)
	}
	return j, nil
}

// Page returns a page of the jobs without their results, the newest first.
func (g *Jobs) Page(ctx context.Context, p Page) ([]Job, int64, error) {
	all, err := (*Engine)(g).jobQueue().List(ctx, p.After, p.limit())
	if err != nil {
		return nil, 0, fmt.Errorf("jobs: %w", err)
	}
	return all, p.next(len(all), func() int64 { return all[len(all)-1].ID }), nil
}

// UsersPage returns a page of the ids by which users went when the job listed them: joining or
// leaving of a plan and a bucket, members of a preview, only:<node> of a funnel, onlyRun or
// onlyOther of a back-test.
func (g *Jobs) UsersPage(ctx context.Context, id int64, list, bucketID string, p Page) ([]ID, int64, error) {
	rows, err := (*Engine)(g).jobQueue().Users(ctx, id, list, bucketID, int32(p.After), p.limit())
	if err != nil {
		return nil, 0, fmt.Errorf("users of job %d: %w", id, err)
	}
	users := make([]ID, len(rows))
	for i, row := range rows {
		users[i].Kind, users[i].Value = resolve.Parse(row.UserID)
	}
	return users, p.next(len(rows), func() int64 { return int64(rows[len(rows)-1].Place) }), nil
}

// Cancel cancels a job. It ends at once, or within seconds if a process works on it. Cancelling a
// finished or unknown job does nothing.
func (g *Jobs) Cancel(ctx context.Context, id int64) error {
	if err := (*Engine)(g).jobQueue().Cancel(ctx, id); err != nil {
		return fmt.Errorf("cancel job %d: %w", id, err)
	}
	return nil
}

func (e *Engine) jobQueue() jobs.Queue {
	return jobs.Queue{Pool: e.pool, Schema: e.config.Schema, Now: e.config.Now}
}

// jobPace is how often a process reports how far a job is, and asks for jobs.
const jobPace = time.Second

// jobLoops returns the loops that do jobs.
func (e *Engine) jobLoops() []*service.Loop {
	stays := jobs.Stays{Queue: e.jobQueue()}
	w := &jobs.Worker{
		Queue: e.jobQueue(), Fingerprint: e.registry.Fingerprint, Process: e.processID, Lease: e.config.Lease, Pace: jobPace, Log: e.log,
		Works: map[bucketgen.JobKind]jobs.Work{
			bucketgen.JobPlan: e.planJob, bucketgen.JobPreview: e.previewJob, bucketgen.JobBackTest: e.backTestJob, bucketgen.JobFunnel: e.funnelJob,
			bucketgen.JobReconcile: e.reconcileJob, bucketgen.JobRetire: e.retireJob, bucketgen.JobErase: e.eraseJob,
			bucketgen.JobOverlap: stays.Overlap, bucketgen.JobFlows: stays.Flows, bucketgen.JobDwell: stays.Dwell,
		},
	}
	loops := make([]*service.Loop, e.config.JobWorkers)
	for i := range loops {
		loops[i] = w.Loop()
	}
	return loops
}

// few is how many users the result of a job names itself; its lists have the others.
const few = 5

// namedUsers returns how many users the lists of a job name in each of some buckets.
func namedUsers(p JobParams, buckets int) int {
	const most = 100_000
	users := p.Users
	if users == 0 {
		users = 100
	}
	return max(min(users, most/max(buckets, 1)/2), -1)
}

func (e *Engine) planJob(ctx context.Context, p JobParams, progress func(done, total int64)) (jobs.Done, error) {
	plan, err := e.Plan(ctx, PlanOptions{Emit: p.Emit, Sample: p.Sample, Users: namedUsers(p, len(e.registry.Buckets)), Progress: progress})
	if err != nil {
		return jobs.Done{}, err
	}
	done := jobs.Done{Result: plan}
	for i := range plan.Buckets {
		b := &plan.Buckets[i]
		done.Lists = append(done.Lists, jobs.List{Name: "joining", BucketID: b.ID, Users: b.Joining}, jobs.List{Name: "leaving", BucketID: b.ID, Users: b.Leaving})
		b.Joining, b.Leaving = b.Joining[:min(few, len(b.Joining))], b.Leaving[:min(few, len(b.Leaving))]
	}
	done.Lists = slices.DeleteFunc(done.Lists, func(l jobs.List) bool { return len(l.Users) == 0 })
	return done, nil
}

func (e *Engine) previewJob(ctx context.Context, p JobParams, progress func(done, total int64)) (jobs.Done, error) {
	ref, _ := e.handle.Ref(p.BucketID)
	preview, err := e.Deployments().Preview(ctx, ref, PreviewOptions{Sample: p.Sample, Users: namedUsers(p, 1), Progress: progress})
	if err != nil {
		return jobs.Done{}, err
	}
	members := jobs.List{Name: "members", BucketID: p.BucketID, Users: preview.Some}
	preview.Some = preview.Some[:min(few, len(preview.Some))]
	return jobs.Done{Result: preview, Lists: []jobs.List{members}}, nil
}

func (e *Engine) funnelJob(ctx context.Context, p JobParams, progress func(done, total int64)) (jobs.Done, error) {
	ref, _ := e.handle.Ref(p.BucketID)
	b, err := e.bucket(ref)
	if err != nil {
		return jobs.Done{}, err
	}
	planner, err := e.newPlanner(ctx)
	if err != nil {
		return jobs.Done{}, err
	}
	f, users, err := planner.Funnel(ctx, b, PreviewOptions{Sample: p.Sample, Users: namedUsers(p, 1), Progress: progress})
	if err != nil {
		return jobs.Done{}, err
	}
	done := jobs.Done{Result: f}
	for node, some := range users {
		done.Lists = append(done.Lists, jobs.List{Name: "only:" + strconv.Itoa(node), BucketID: p.BucketID, Users: some})
	}
	return done, nil
}

func (e *Engine) backTestJob(ctx context.Context, p JobParams, progress func(done, total int64)) (jobs.Done, error) {
	total, err := e.store.Queries(e.pool).ContactsCount(ctx)
	if err != nil {
		return jobs.Done{}, fmt.Errorf("count users: %w", err)
	}
	r, err := e.Deployments().BackTest(ctx, BackTestOptions{
		Buckets: p.With, Until: p.Until, Against: BackTestAgainst{Bucket: p.Against, Recorded: p.Recorded}, Workers: 1, // ingest goes on beside it
		Progress: func(at BackTestProgress) { progress(at.Users, total) },
	})
	if err != nil {
		return jobs.Done{}, err
	}
	done := jobs.Done{Result: r}
	for i := range r.Buckets {
		if v := r.Buckets[i].Against; v != nil {
			done.Lists = append(done.Lists, jobs.List{Name: "onlyRun", BucketID: r.Buckets[i].BucketID, Users: v.RunUsers},
				jobs.List{Name: "onlyOther", BucketID: r.Buckets[i].BucketID, Users: v.OtherUsers})
		}
	}
	return done, nil
}

func (e *Engine) reconcileJob(ctx context.Context, _ JobParams, progress func(done, total int64)) (jobs.Done, error) {
	r, err := e.Deployments().Reconcile(ctx, func(r Reconciliation) { progress(r.Checked, r.Users) })
	if errors.Is(err, ErrNotDeployed) {
		err = errors.New("the definitions of this program are not deployed; deploy them first")
	}
	return jobs.Done{Result: r}, err
}

func (e *Engine) retireJob(ctx context.Context, p JobParams, progress func(done, total int64)) (jobs.Done, error) {
	r, err := e.Deployments().Retire(ctx, p.BucketID, func(r Retirement) { progress(r.Left, r.Members) })
	return jobs.Done{Result: r}, err
}
