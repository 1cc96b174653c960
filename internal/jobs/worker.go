package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Done is what a job came to.
type Done struct {
	Result any
	Lists  []List // Lists name users; together up to maxUsers are stored
}

// List is some users.
type List struct {
	Name     string // like joining
	BucketID string
	Users    []string
}

// Work does a kind of job. It calls progress now and then with how many users were evaluated, and
// of how many. It ends soon after its context does.
type Work func(ctx context.Context, p bucketgen.JobParams, progress func(done, total int64)) (Done, error)

// Worker does jobs, one at a time in each of its loops.
type Worker struct {
	Queue       Queue
	Fingerprint string // Fingerprint is that of the definitions of this process
	Works       map[bucketgen.JobKind]Work
	Process     pgtype.UUID
	Lease       time.Duration // Lease is how long a job belongs to a process that does not report
	Pace        time.Duration // Pace is how often progress is reported, and how often the database is asked for jobs
	Log         *slog.Logger
}

const (
	maxErase    = 100     // as maxAttempts, for a job that goes on where the last attempt ended
	maxAttempts = 3       // of processes that die, or that have an error of the moment
	maxUsers    = 100_000 // that a job names
	maxResult   = 4 << 20 // bytes
	maxError    = 500     // bytes
	patience    = 5 * time.Second
)

var (
	errCancelled = errors.New("the job was cancelled")
	errLost      = errors.New("another process has the job")
)

// Loop returns a loop that does jobs.
func (w *Worker) Loop() *service.Loop {
	return &service.Loop{
		Component: "jobs", Log: w.Log, Interrupt: true, Backoff: retry.Backoff{Min: w.Pace, Max: time.Minute},
		Turn: func(ctx context.Context) (time.Duration, error) {
			found, err := w.next(ctx)
			if found && err == nil {
				return 0, nil
			}
			return w.Pace, err
		},
	}
}

// next does the oldest job that waits, and reports whether there was one.
func (w *Worker) next(ctx context.Context) (bool, error) {
	now := w.Queue.Now()
	row, err := w.Queue.queries().JobsClaim(ctx, db.JobsClaimParams{
		Lease: w.Process, Now: store.Timestamp(now), Until: store.Timestamp(now.Add(w.Lease)), Fingerprint: w.Fingerprint,
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("take a job: %w", err)
	}
	most := int32(maxAttempts)
	if bucketgen.JobKind(row.Kind) == bucketgen.JobErase {
		most = maxErase
	}
	a := &attempt{worker: w, no: row.No, kind: bucketgen.JobKind(row.Kind), last: row.Attempts >= most}
	switch {
	case row.Cancelled:
		return true, a.finish(ctx, bucketgen.JobCancelled, Done{}, nil)
	case row.Attempts > most:
		return true, a.finish(ctx, bucketgen.JobFailed, Done{}, fmt.Errorf("%d processes ended while they did it", most))
	}
	var p bucketgen.JobParams
	if err := json.Unmarshal(row.Params, &p); err != nil {
		return true, a.finish(ctx, bucketgen.JobFailed, Done{}, err)
	}
	return true, a.run(ctx, p)
}

// attempt is a job that this process does.
type attempt struct {
	worker      *Worker
	no          int64
	kind        bucketgen.JobKind
	last        bool // there is none after it
	done, total atomic.Int64
}

// run does the work, and stores what came of it.
func (a *attempt) run(ctx context.Context, p bucketgen.JobParams) error {
	work, known := a.worker.Works[a.kind]
	if !known {
		return a.finish(ctx, bucketgen.JobFailed, Done{}, fmt.Errorf("this program does no jobs of the kind %q", a.kind))
	}
	working, end := context.WithCancelCause(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		a.keep(working, end)
	}()
	done, err := a.safely(working, p, work)
	cause := context.Cause(working)
	end(nil)
	<-kept
	switch {
	case errors.Is(cause, errLost):
		return nil
	case errors.Is(cause, errCancelled):
		return a.finish(ctx, bucketgen.JobCancelled, Done{}, nil)
	case ctx.Err() != nil: // the process stops
		return a.release(ctx, 1)
	case err != nil && !a.last && blame.Transient(err):
		return errors.Join(err, a.release(ctx, 0))
	case err != nil:
		return a.finish(ctx, bucketgen.JobFailed, Done{}, err)
	}
	return a.finish(ctx, bucketgen.JobDone, done, nil)
}

// safely does the work; a panic fails the job, not the process.
func (a *attempt) safely(ctx context.Context, p bucketgen.JobParams, work Work) (done Done, err error) {
	defer func() {
		if why := recover(); why != nil {
			err = fmt.Errorf("panic: %v", why)
			a.worker.Log.ErrorContext(ctx, "job panicked", "component", "jobs", "job", a.no, "kind", a.kind, "error", why)
		}
	}()
	return work(ctx, p, func(done, total int64) { a.done.Store(done); a.total.Store(total) })
}

// keep renews the lease and reports how far the work is, until it has ended. It ends the work that
// was cancelled, or that another process has by now.
func (a *attempt) keep(ctx context.Context, end context.CancelCauseFunc) {
	pause := time.NewTicker(min(a.worker.Pace, a.worker.Lease/3))
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		cancelled, err := a.renew(ctx)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			end(errLost)
		case err != nil && ctx.Err() == nil:
			a.worker.Log.WarnContext(ctx, "job heartbeat failed, retrying", "component", "jobs", "job", a.no, "error", err)
		case cancelled:
			end(errCancelled)
		}
	}
}

func (a *attempt) renew(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	w := a.worker
	return w.Queue.queries().JobsRenew(ctx, db.JobsRenewParams{
		No: a.no, Lease: w.Process, Until: store.Timestamp(w.Queue.Now().Add(w.Lease)), Done: a.done.Load(), Total: a.total.Load(),
	})
}

// release gives the job back, also while the process stops. refund is how many attempts do not
// count.
func (a *attempt) release(ctx context.Context, refund int32) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := a.worker.Queue.queries().JobsRelease(ctx, db.JobsReleaseParams{No: a.no, Lease: a.worker.Process, Refund: refund}); err != nil {
		return fmt.Errorf("give job %d back: %w", a.no, err)
	}
	return nil
}

// finish stores the result and ends the job, unless another process has it by now.
func (a *attempt) finish(ctx context.Context, state bucketgen.JobState, done Done, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*patience)
	defer cancel()
	w := a.worker
	p := db.JobsFinishParams{No: a.no, Lease: w.Process, State: string(state), Now: store.Timestamp(w.Queue.Now()), Done: a.done.Load(), Total: a.total.Load()}
	if done.Result != nil {
		text, err := json.Marshal(done.Result)
		switch {
		case err != nil:
			p.State, why = string(bucketgen.JobFailed), fmt.Errorf("encode the result: %w", err)
		case len(text) > maxResult:
			p.State, why = string(bucketgen.JobFailed), fmt.Errorf("the result has %d bytes, more than the %d that are stored; ask for fewer users or buckets", len(text), maxResult)
		default:
			p.Result = text
		}
	}
	if why != nil {
		text := why.Error()
		text = text[:min(len(text), maxError)]
		p.Error, done.Lists = &text, nil
	}
	err := pgx.BeginFunc(ctx, w.Queue.Pool, func(tx pgx.Tx) error {
		q := store.QueriesIn(tx, w.Queue.Schema)
		if n, err := q.JobsFinish(ctx, p); err != nil || n == 0 {
			return err
		}
		left := maxUsers
		for _, l := range done.Lists {
			users := l.Users[:min(len(l.Users), left)]
			left -= len(users)
			if err := q.JobUsersAdd(ctx, db.JobUsersAddParams{JobNo: a.no, List: l.Name, BucketID: l.BucketID, UserIds: users}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("finish job %d: %w", a.no, err)
	}
	return nil
}
