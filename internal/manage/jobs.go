package manage

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/identity"
	"github.com/bucketgen/bucketgen/internal/problem"
)

// Jobs is a page of jobs.
type Jobs struct {
	Jobs []engine.Job `json:"jobs" doc:"Jobs without their results, the newest first"`
	Next string       `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

// JobUsers is a page of the users in a list of a job.
type JobUsers struct {
	Users []engine.ID `json:"users" doc:"The users, each by the id by which they went then"`
	Next  string      `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

// NewJob says what a job is to do.
type NewJob struct {
	_             struct{}  `additionalProperties:"false"`
	Kind          string    `json:"kind" enum:"plan,preview,backtest,funnel,overlap,flows,dwell,reconcile,retire" doc:"What the job does"`
	BucketID      string    `json:"bucketId,omitempty" maxLength:"255" doc:"Bucket of a preview, funnel, overlap, flows, dwell or retire job"`
	With          []string  `json:"with,omitempty" maxItems:"1000" nullable:"false" doc:"Buckets that a back-test reports, or all; or up to five that an overlap combines with its own"`
	Emit          string    `json:"emit,omitempty" enum:"silent,leaves,all" doc:"Which transitions the planned deployment would announce. Defaults to leaves"`
	Sample        float64   `json:"sample,omitempty" maximum:"1" doc:"Fraction of the users that a plan, preview, funnel or overlap evaluates, more than 0. Defaults to 1" example:"0.05"`
	Users         int       `json:"users,omitempty" minimum:"-1" maximum:"1000" doc:"Number of users to name in each list of a plan, preview or funnel; -1 for none. Defaults to 100"`
	Against       string    `json:"against,omitempty" maxLength:"255" doc:"Bucket that a back-test compares with"`
	Recorded      bool      `json:"recorded,omitempty" doc:"Whether a back-test compares with what happened"`
	Since         time.Time `json:"since,omitzero" doc:"Start of what flows or dwell are about. Defaults to 7 days before until for flows, and to all time for dwell"`
	Until         time.Time `json:"until,omitzero" doc:"End of what flows, dwell or a back-test are about. Defaults to now"`
	WithinSeconds int64     `json:"withinSeconds,omitempty" minimum:"1" maximum:"31622400" doc:"Longest time between two stays that flows connect, in seconds. Defaults to a day"`
}

// JobPath is the path of what is about a job.
type JobPath struct {
	ID int64 `path:"id" minimum:"1" doc:"Id of the job" example:"7"`
}

type jobInput struct {
	Body NewJob
}

type jobUsersInput struct {
	JobPath
	Page
	List   string `query:"list" maxLength:"100" doc:"List: joining or leaving (plan), members (preview), only:NODE (funnel), onlyRun or onlyOther (back-test)" example:"joining"`
	Bucket string `query:"bucket" maxLength:"255" doc:"Id of the bucket that the list is about" example:"power-users"`
}

// read lets readers call an operation that is no GET. It changes no bucket and no user.
var read = map[string]any{accessKey: Read}

func (a *api) jobs() {
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/jobs", OperationID: "createJob", Tags: []string{"jobs"}, Metadata: read,
		Summary: "Begin long work in the background",
		Description: "A process does the job, reports how far it is, and stores the result for a day. If the process dies, another does the job anew. " +
			"If an equal job is unfinished, it is returned. Jobs that change memberships, reconcile and retire, need an admin.",
	}, a.createJob, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/jobs", OperationID: "listJobs", Tags: []string{"jobs"},
		Summary:     "List the jobs",
		Description: "The unfinished jobs, and those that ended within a day, without their results.",
	}, func(ctx context.Context, in *Page) (Jobs, error) {
		before, err := in.after("jobs")
		if err != nil {
			return Jobs{}, err
		}
		all, next, err := a.engine.Jobs().Page(ctx, engine.Page{After: before, Size: in.Limit})
		return Jobs{orNone(all), cursor("jobs", next)}, err
	})
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/jobs/{id}", OperationID: "getJob", Tags: []string{"jobs"},
		Summary:     "Get a job",
		Description: "How far a job is, and its result once it is done. The result is under the name of the kind.",
	}, func(ctx context.Context, in *JobPath) (engine.Job, error) { return a.job(ctx, in.ID) }, http.StatusNotFound)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/jobs/{id}/users", OperationID: "listJobUsers", Tags: []string{"jobs"},
		Summary:     "List the users that the result of a job names",
		Description: "Up to as many users for each list as the job was asked for, page by page.",
	}, a.jobUsers, http.StatusNotFound)
	add(a, huma.Operation{
		Method: http.MethodDelete, Path: "/v1/jobs/{id}", OperationID: "cancelJob", Tags: []string{"jobs"}, Metadata: read,
		Summary:     "Cancel a job",
		Description: "A job that waits ends at once, one that runs within seconds. Cancelling a finished job does nothing. Readers can cancel their own jobs, admins all.",
	}, a.cancelJob, http.StatusNotFound)
}

func (a *api) createJob(ctx context.Context, in *jobInput) (engine.Job, error) {
	person, _ := identity.Of(ctx)
	b, kind := in.Body, engine.JobKind(in.Body.Kind)
	p := engine.JobParams{
		BucketID: b.BucketID, With: b.With, Emit: engine.Emit(b.Emit), Sample: b.Sample, Users: b.Users, Against: b.Against, Recorded: b.Recorded,
		Since: b.Since, Until: b.Until, WithinSeconds: b.WithinSeconds,
	}
	if !kind.Writes() {
		return a.engine.Jobs().Begin(ctx, kind, p, person.Name)
	}
	if !person.MayChange() {
		return engine.Job{}, problem.Of(http.StatusForbidden, "kind", "is "+b.Kind+", which changes memberships; this takes an admin")
	}
	e := entryOf(exchangeOf(ctx).request, person, b.Kind)
	e.BucketID = b.BucketID
	return recorded(ctx, a, e, func(ctx context.Context) (engine.Job, error) { return a.engine.Jobs().Begin(ctx, kind, p, person.Name) })
}

// job returns a job, or the problem that there is none.
func (a *api) job(ctx context.Context, id int64) (engine.Job, error) {
	j, err := a.engine.Jobs().Get(ctx, id)
	if errors.Is(err, engine.ErrUnknownJob) {
		err = problem.Of(http.StatusNotFound, "id", "there is no job of this id; the result of a job is kept for a day")
	}
	if j.Plan != nil {
		j.Plan.Buckets = orNone(j.Plan.Buckets)
	}
	return j, err
}

func (a *api) jobUsers(ctx context.Context, in *jobUsersInput) (JobUsers, error) {
	after, err := in.after("job users")
	if err != nil {
		return JobUsers{}, err
	}
	if _, err := a.job(ctx, in.ID); err != nil {
		return JobUsers{}, err
	}
	all, next, err := a.engine.Jobs().UsersPage(ctx, in.ID, in.List, in.Bucket, engine.Page{After: after, Size: in.Limit})
	return JobUsers{orNone(all), cursor("job users", next)}, err
}

func (a *api) cancelJob(ctx context.Context, in *JobPath) (engine.Job, error) {
	j, err := a.job(ctx, in.ID)
	if err != nil {
		return engine.Job{}, err
	}
	if person, _ := identity.Of(ctx); !person.MayChange() && person.Name != j.By {
		return engine.Job{}, problem.Of(http.StatusForbidden, "id", "the job is another person's; this takes an admin")
	}
	if j.State == bucketgen.JobDone || j.State == bucketgen.JobFailed || j.State == bucketgen.JobCancelled {
		return j, nil
	}
	if err := a.engine.Jobs().Cancel(ctx, in.ID); err != nil {
		return engine.Job{}, err
	}
	return a.job(ctx, in.ID)
}
