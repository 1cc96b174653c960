package jobs

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Queue is the jobs of a database. Safe for concurrent use.
type Queue struct {
	Pool   *pgxpool.Pool
	Schema string
	Now    func() time.Time

	conn db.DBTX // conn is a transaction; nil: statements run on the pool
}

// maxUnfinished is how many jobs may be unfinished.
const maxUnfinished = 100

// Begin begins a job and returns its number. An equal job that is unfinished is returned instead.
// fingerprint is that of the definitions that the job is about, empty if it is about none. The
// error is ErrBusy if too many jobs are unfinished.
func (q Queue) Begin(ctx context.Context, kind bucketgen.JobKind, p bucketgen.JobParams, by, fingerprint string) (int64, error) {
	params, err := json.Marshal(p)
	if err != nil {
		return 0, fmt.Errorf("encode the parameters: %w", err)
	}
	arg := db.JobsBeginParams{Kind: string(kind), Params: params, ByName: by, Now: store.Timestamp(q.Now()), Most: maxUnfinished}
	if fingerprint != "" {
		arg.Fingerprint = &fingerprint
	}
	no, err := q.queries().JobsBegin(ctx, arg)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, bucketgen.ErrBusy
	}
	return no, err
}

// BeginErase begins a job that erases users, by their names, and returns its number. The ids leave
// the job one by one. The error is ErrBusy if too many jobs are unfinished.
func (q Queue) BeginErase(ctx context.Context, p bucketgen.JobParams, names []string, by string) (no int64, err error) {
	p.Token, p.Count = rand.Text(), len(names) // no other job is equal to it
	err = pgx.BeginTxFunc(ctx, q.Pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		in := q
		in.conn = tx
		if no, err = in.Begin(ctx, bucketgen.JobErase, p, by, ""); err != nil {
			return err
		}
		return in.queries().JobUsersAdd(ctx, db.JobUsersAddParams{JobNo: no, List: "erase", UserIds: names})
	})
	return no, err
}

// Get returns a job, with its result if it is done.
func (q Queue) Get(ctx context.Context, no int64) (bucketgen.Job, error) {
	row, err := q.queries().JobsGet(ctx, no)
	if errors.Is(err, pgx.ErrNoRows) {
		return bucketgen.Job{}, bucketgen.ErrUnknownJob
	}
	if err != nil {
		return bucketgen.Job{}, err
	}
	j, err := job(db.JobsListRow{
		No: row.No, Kind: row.Kind, Params: row.Params, ByName: row.ByName, State: row.State, CreatedAt: row.CreatedAt, StartedAt: row.StartedAt,
		FinishedAt: row.FinishedAt, Attempts: row.Attempts, Cancelled: row.Cancelled, Done: row.Done, Total: row.Total, Error: row.Error,
	})
	if err != nil || row.Result == nil {
		return j, err
	}
	if err := json.Unmarshal(row.Result, resultOf(&j)); err != nil {
		return j, fmt.Errorf("decode the result of job %d: %w", no, err)
	}
	return j, nil
}

// List returns up to size jobs without their results that are older than one, the newest first. 0
// begins with the newest of all.
func (q Queue) List(ctx context.Context, before int64, size int32) ([]bucketgen.Job, error) {
	rows, err := q.queries().JobsList(ctx, db.JobsListParams{BeforeNo: before, Size: size})
	if err != nil {
		return nil, err
	}
	all := make([]bucketgen.Job, len(rows))
	for i, row := range rows {
		if all[i], err = job(row); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Users returns up to size users of a list of a job that come after a place.
func (q Queue) Users(ctx context.Context, no int64, list, bucket string, after, size int32) ([]db.JobUsersPageRow, error) {
	return q.queries().JobUsersPage(ctx, db.JobUsersPageParams{JobNo: no, List: list, BucketID: bucket, AfterPlace: after, Size: size})
}

// Cancel cancels a job: at once, or when the process that works on it reports the next time.
// Cancelling a finished job does nothing.
func (q Queue) Cancel(ctx context.Context, no int64) error {
	_, err := q.queries().JobsCancel(ctx, db.JobsCancelParams{No: no, Now: store.Timestamp(q.Now())})
	return err
}

// Forget deletes jobs that ended longer ago than an age.
func (q Queue) Forget(ctx context.Context, age time.Duration) error {
	if err := q.queries().JobsForget(ctx, store.Timestamp(q.Now().Add(-age))); err != nil {
		return fmt.Errorf("delete old jobs: %w", err)
	}
	return nil
}

func (q Queue) queries() *db.Queries {
	if q.conn != nil {
		return store.QueriesIn(q.conn, q.Schema)
	}
	return store.QueriesIn(q.Pool, q.Schema)
}

func job(row db.JobsListRow) (bucketgen.Job, error) {
	j := bucketgen.Job{
		ID: row.No, Kind: bucketgen.JobKind(row.Kind), By: row.ByName, State: bucketgen.JobState(row.State), CreatedAt: row.CreatedAt.Time.UTC(),
		StartedAt: timeOf(row.StartedAt), FinishedAt: timeOf(row.FinishedAt), Attempts: int(row.Attempts), Done: row.Done, Total: row.Total,
	}
	j.Cancelling = row.Cancelled && !j.Finished()
	if row.Error != nil {
		j.Error = *row.Error
	}
	if err := json.Unmarshal(row.Params, &j.Params); err != nil {
		return j, fmt.Errorf("decode the parameters of job %d: %w", row.No, err)
	}
	return j, nil
}

func timeOf(t pgtype.Timestamptz) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

// resultOf returns the field of a job that its result belongs into.
func resultOf(j *bucketgen.Job) any {
	switch j.Kind {
	case bucketgen.JobPlan:
		return &j.Plan
	case bucketgen.JobPreview:
		return &j.Preview
	case bucketgen.JobBackTest:
		return &j.BackTest
	case bucketgen.JobFunnel:
		return &j.Funnel
	case bucketgen.JobOverlap:
		return &j.Overlap
	case bucketgen.JobFlows:
		return &j.Flows
	case bucketgen.JobDwell:
		return &j.Dwell
	case bucketgen.JobReconcile:
		return &j.Reconcile
	case bucketgen.JobErase:
		return &j.Erase
	default:
		return &j.Retire
	}
}
