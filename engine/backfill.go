package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
)

// Backfill looks at all users who have not followed the last deployment yet, until there are none, and returns that
// deployment. Any number of processes share the work, beside everything else that they do, and what one leaves behind that
// dies is taken up by the others. Engines that run do so by themselves; this is for programs that wait for it.
//
// progress is called now and then, by one goroutine at a time; it may be nil. The engine need not have been started.
func (e *Engine) Backfill(ctx context.Context, progress func(Deployment)) (Deployment, error) {
	if err := e.open(ctx); err != nil {
		return Deployment{}, fmt.Errorf("backfill: %w", err)
	}
	if progress == nil {
		progress = func(Deployment) {}
	}
	d, err := e.backfill(ctx, progress)
	if err != nil {
		return d, fmt.Errorf("backfill: %w", err)
	}
	return d, nil
}

func (e *Engine) backfill(ctx context.Context, progress func(Deployment)) (Deployment, error) {
	for {
		deployed, err := e.refresh(ctx)
		if err != nil {
			return Deployment{}, err
		}
		if !deployed.Agreed {
			return Deployment{}, ErrNotDeployed
		}
		b, err := e.unfinished(ctx, deployed, progress)
		if err != nil {
			return Deployment{}, err
		}
		if b.no == 0 {
			return e.deployment(ctx, deployed.No)
		}
		if err := b.run(ctx); err != nil {
			return Deployment{}, err
		}
	}
}

// unfinished returns what lets users follow the last deployment that they are still to follow, of those that this process knows,
// whose number is 0 if there is none.
func (e *Engine) unfinished(ctx context.Context, known *store.Deployment, progress func(Deployment)) (*backfill, error) {
	rows, err := e.store.Queries(e.pool).DeploymentsUnfinished(ctx, known.No)
	if err != nil {
		return nil, fmt.Errorf("read the deployments: %w", err)
	}
	b := &backfill{engine: e, last: known.Last(), progress: progress}
	if len(rows) > 0 {
		b.no = rows[0].No
	}
	return b, nil
}

// backfill lets users follow a deployment, and with it all before.
type backfill struct {
	engine   *Engine
	last     int32 // whoever has followed this one is not behind: it is not read anew, because later ones are none of its business
	no       int32
	mu       sync.Mutex // of progress
	progress func(Deployment)
	left     atomic.Bool // what is deployed is not what this process has any more
}

// Of so many users at once it takes a part of the work, and so many it looks at by one transaction.
const (
	backfillPart  = 4000
	backfillBatch = 500
)

// run goes through all users once, with several workers, and finishes the deployment if nobody is left behind.
func (b *backfill) run(ctx context.Context) error {
	var group sync.WaitGroup
	errs := make(chan error, b.engine.config.BackfillWorkers)
	for range b.engine.config.BackfillWorkers {
		group.Go(func() { errs <- b.work(ctx) })
	}
	group.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	if b.left.Load() {
		return nil
	}
	return b.finish(ctx)
}

// work takes part after part until there is none.
func (b *backfill) work(ctx context.Context) error {
	for {
		after, upto, at, err := b.claim(ctx)
		if err != nil || upto == 0 {
			return err
		}
		if err := retry.Sleep(ctx, at.Sub(b.engine.config.Now())); err != nil {
			return err
		}
		if err := b.part(ctx, after, upto); err != nil || b.left.Load() {
			return err
		}
	}
}

// claim takes the next users, by their ids, and says when they may follow. If there are none, upto is 0.
func (b *backfill) claim(ctx context.Context) (after, upto int64, at time.Time, err error) {
	q, now := b.engine.store.Queries(b.engine.pool), b.engine.config.Now()
	for {
		d, err := q.DeploymentsCursor(ctx, b.no)
		if err != nil {
			return 0, 0, now, fmt.Errorf("read deployment %d: %w", b.no, err)
		}
		size := int64(backfillPart)
		if d.Rate > 0 {
			size = min(size, max(1, int64(d.Rate)/10)) // so that there is no burst
		}
		next, err := q.ContactsNext(ctx, db.ContactsNextParams{AfterID: d.CursorID, Size: int32(size)})
		if err != nil || next.Users == 0 {
			return 0, 0, now, err
		}
		claim := db.DeploymentsClaimParams{No: b.no, AfterID: d.CursorID, UptoID: next.LastID, Now: store.Timestamp(now)}
		if d.Rate > 0 {
			claim.Seconds = float64(next.Users) / float64(d.Rate)
		}
		paced, err := q.DeploymentsClaim(ctx, claim)
		switch {
		case noRow(err):
			continue // somebody else was faster
		case err != nil:
			return 0, 0, now, fmt.Errorf("take a part of deployment %d: %w", b.no, err)
		case paced.Valid:
			now = paced.Time.Add(-time.Duration(claim.Seconds * float64(time.Second)))
		}
		return d.CursorID, next.LastID, now, nil
	}
}

// part lets those users between two ids follow who have not yet, however long somebody else has the locks of some.
func (b *backfill) part(ctx context.Context, after, upto int64) error {
	r := b.engine.attempts("backfill")
	for after < upto {
		if !b.engine.store.Deployment().Agreed {
			b.left.Store(true)
			return nil
		}
		reached, err := b.page(ctx, after, upto)
		switch {
		case err != nil:
			err = r.Again(ctx, err)
		case reached > after:
			after = reached
			r.Reset()
		default:
			err = r.Sleep(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// page lets the next of those users follow, and returns up to where all have: not far, if somebody was passed over.
func (b *backfill) page(ctx context.Context, after, upto int64) (reached int64, err error) {
	e := b.engine
	users, err := e.store.Queries(e.pool).ContactsBehind(ctx, db.ContactsBehindParams{
		AfterID: after, UptoID: upto, Generation: b.last, Size: backfillBatch,
	})
	if err != nil {
		return after, fmt.Errorf("read users: %w", err)
	}
	reached = upto
	if len(users) == backfillBatch {
		reached = users[len(users)-1].ID
	}
	report := db.DeploymentsReportParams{No: b.no}
	if len(users) > 0 {
		missed, err := e.follow(ctx, users, &report)
		if err != nil {
			return after, err
		}
		if missed > 0 {
			reached = after
		}
	}
	report.UptoID = reached
	return reached, b.report(ctx, report)
}

func (b *backfill) report(ctx context.Context, r db.DeploymentsReportParams) error {
	if err := b.engine.store.Queries(b.engine.pool).DeploymentsReport(ctx, r); err != nil {
		return fmt.Errorf("note how far deployment %d is: %w", b.no, err)
	}
	d, err := b.engine.deployment(ctx, b.no)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress(d)
	return nil
}

// follow takes users through what they have not followed yet, and returns how many it passed over: those whose locks somebody
// else has, and those who are gone.
func (e *Engine) follow(ctx context.Context, users []db.ContactsBehindRow, report *db.DeploymentsReportParams) (missed int, err error) {
	tasks := make([]*transact.Task, len(users))
	for i, u := range users {
		tasks[i] = e.present(u.UserID, u.ID, (*decide.Session).CatchUp)
	}
	if err := e.runner.Commit(ctx, false, tasks); err != nil {
		return 0, err
	}
	for _, t := range tasks {
		if t.Missed {
			missed++
			continue
		}
		report.Followed++
		for _, tr := range t.Result.Transitions {
			switch {
			case tr.Source != SourceBackfill:
			case tr.Kind == Entered:
				report.Joined++
			case tr.Kind == Left:
				report.Gone++
			}
		}
	}
	return missed, nil
}

// finish waits until every transaction is over that may not have known of the deployment, and finishes it if nobody is left
// behind. Otherwise whoever is left is to be gone through again.
func (b *backfill) finish(ctx context.Context) error {
	e := b.engine
	q := e.store.Queries(e.pool)
	xid, err := q.TransactionNo(ctx)
	if err != nil {
		return fmt.Errorf("number a transaction: %w", err)
	}
	for {
		over, err := q.TransactionsOver(ctx, xid)
		if err != nil {
			return fmt.Errorf("ask for transactions: %w", err)
		}
		if over {
			break
		}
		if err := retry.Sleep(ctx, retry.Min); err != nil {
			return err
		}
	}
	first, err := q.ContactsFirstBehind(ctx, b.last)
	switch {
	case noRow(err):
		return q.DeploymentsFinish(ctx, db.DeploymentsFinishParams{No: b.no, Now: store.Timestamp(e.config.Now())})
	case err != nil:
		return fmt.Errorf("look for users who were left behind: %w", err)
	}
	if err := q.DeploymentsRewind(ctx, db.DeploymentsRewindParams{No: b.no, CursorID: first - 1}); err != nil {
		return fmt.Errorf("go back to users who were left behind: %w", err)
	}
	return retry.Sleep(ctx, retry.Min) // others may be at them just now
}

// following returns the loop that finds out what is deployed, and takes users through it.
func (e *Engine) following() *service.Loop {
	return &service.Loop{
		Component: "rollout", Log: e.log, Interrupt: true, Backoff: steady,
		Turn: func(ctx context.Context) (time.Duration, error) { return e.config.DeployPoll, e.followDeployed(ctx) },
	}
}

// followDeployed finds out what is deployed, and lets users follow it if some are still to.
func (e *Engine) followDeployed(ctx context.Context) error {
	d, err := e.refresh(ctx)
	works := !e.config.NoClock && !e.config.NoJobs
	if err != nil || !d.Agreed || !works && e.onDeploy == nil {
		return err
	}
	b, err := e.unfinished(ctx, d, func(Deployment) {})
	if err != nil || b.no == 0 {
		return err
	}
	if err := e.announce(ctx, b.no); err != nil || !works {
		return err
	}
	return b.run(ctx)
}
