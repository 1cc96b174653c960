package rollout

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
)

// Backfill takes all users through the last deployment, and returns it. progress is called by one
// goroutine at a time.
func (s *Service) Backfill(ctx context.Context, progress func(bucketgen.Deployment)) (bucketgen.Deployment, error) {
	for {
		deployed, err := s.Refresh(ctx)
		if err != nil {
			return bucketgen.Deployment{}, err
		}
		if !deployed.Agreed {
			return bucketgen.Deployment{}, bucketgen.ErrNotDeployed
		}
		b, err := s.unfinished(ctx, deployed, progress)
		if err != nil {
			return bucketgen.Deployment{}, err
		}
		if b.no == 0 {
			return s.Deployment(ctx, deployed.No)
		}
		if err := b.run(ctx); err != nil {
			return bucketgen.Deployment{}, err
		}
	}
}

// Deployment reads a deployment.
func (s *Service) Deployment(ctx context.Context, no int32) (bucketgen.Deployment, error) {
	row, err := s.queries().DeploymentsOne(ctx, no)
	if err != nil {
		return bucketgen.Deployment{}, fmt.Errorf("read deployment %d: %w", no, err)
	}
	return Deployment(db.DeploymentsProgressRow(row)), nil
}

// unfinished returns the backfill of the deployments that this process knows and users have not
// followed yet. Its number is 0 if there are none.
func (s *Service) unfinished(ctx context.Context, known *store.Deployment, progress func(bucketgen.Deployment)) (*backfill, error) {
	rows, err := s.queries().DeploymentsUnfinished(ctx, known.No)
	if err != nil {
		return nil, fmt.Errorf("read the deployments: %w", err)
	}
	b := &backfill{Service: s, last: known.Last(), progress: progress}
	if len(rows) > 0 {
		b.no = rows[0].No
	}
	return b, nil
}

// backfill takes users through a deployment, and with it through all before.
type backfill struct {
	*Service

	last     int32 // users who have followed this one are done; later deployments are not its business
	no       int32
	mu       sync.Mutex // of progress
	progress func(bucketgen.Deployment)
	left     atomic.Bool // what is deployed is not what this process has any more
}

// backfillPart is how many users a worker claims at a time. It takes a page of them through one
// transaction.
const backfillPart = 4000

// run takes all users through the deployment once, with several workers, and finishes it if no user
// is left behind.
func (b *backfill) run(ctx context.Context) error {
	var group sync.WaitGroup
	errs := make(chan error, b.Workers)
	for range b.Workers {
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
		if err := retry.Sleep(ctx, at.Sub(b.Now())); err != nil {
			return err
		}
		if err := b.part(ctx, after, upto); err != nil || b.left.Load() {
			return err
		}
	}
}

// claim takes the next users, by their ids, and returns when they may follow. If there are none,
// upto is 0.
func (b *backfill) claim(ctx context.Context) (after, upto int64, at time.Time, err error) {
	q, now := b.queries(), b.Now()
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
		case errors.Is(err, pgx.ErrNoRows):
			continue // another worker was faster
		case err != nil:
			return 0, 0, now, fmt.Errorf("take a part of deployment %d: %w", b.no, err)
		case paced.Valid:
			now = paced.Time.Add(-time.Duration(claim.Seconds * float64(time.Second)))
		}
		return d.CursorID, next.LastID, now, nil
	}
}

// part takes the users between two ids through the deployment, however long some are locked. A page
// of users is repeated until none of them was passed over.
func (b *backfill) part(ctx context.Context, after, upto int64) error {
	from := after // of the present page
	return transact.ForEach(ctx, b.Attempts("backfill"), after, func(after int64) ([]transact.User, error) {
		from = after
		if after >= upto {
			return nil, nil
		}
		if !b.Runner.Store.Deployment().Agreed {
			b.left.Store(true)
			return nil, nil
		}
		return b.behind(ctx, after, upto)
	}, func(users []transact.User) (reached int64, err error) {
		report := db.DeploymentsReportParams{No: b.no, UptoID: upto}
		if len(users) == transact.PageSize {
			report.UptoID = transact.Last(users)
		}
		missed, err := b.Follow(ctx, users, &report)
		if err != nil {
			return from, err
		}
		if missed > 0 {
			report.UptoID = from
		}
		return report.UptoID, b.report(ctx, report)
	})
}

// behind returns the next of those users. If there is none, all have followed.
func (b *backfill) behind(ctx context.Context, after, upto int64) ([]transact.User, error) {
	rows, err := b.queries().ContactsBehind(ctx, db.ContactsBehindParams{
		AfterID: after, UptoID: upto, Generation: b.last, Size: transact.PageSize,
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("read users: %w", err)
	case len(rows) == 0:
		return nil, b.report(ctx, db.DeploymentsReportParams{No: b.no, UptoID: upto})
	}
	users := make([]transact.User, len(rows))
	for i, row := range rows {
		users[i] = transact.User{ID: row.UserID, Contact: row.ID}
	}
	return users, nil
}

func (b *backfill) report(ctx context.Context, r db.DeploymentsReportParams) error {
	if err := b.queries().DeploymentsReport(ctx, r); err != nil {
		return fmt.Errorf("note how far deployment %d is: %w", b.no, err)
	}
	d, err := b.Deployment(ctx, b.no)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress(d)
	return nil
}

// Follow takes users through what they have not followed yet, and returns how many it passed over:
// those who are locked, and those who are gone.
func (s *Service) Follow(ctx context.Context, users []transact.User, report *db.DeploymentsReportParams) (missed int, err error) {
	tasks := s.Runner.Tasks(users, s.Options, (*decide.Session).CatchUp)
	if err := s.Runner.Commit(ctx, false, tasks); err != nil {
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
			case tr.Source != bucketgen.SourceBackfill:
			case tr.Kind == bucketgen.Entered:
				report.Joined++
			case tr.Kind == bucketgen.Left:
				report.Gone++
			}
		}
	}
	return missed, nil
}

// finish waits until every transaction is over that may not have known of the deployment, and
// finishes it if no user is left behind. Otherwise the next run begins with the first who is.
func (b *backfill) finish(ctx context.Context) error {
	q := b.queries()
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
	case errors.Is(err, pgx.ErrNoRows):
		return q.DeploymentsFinish(ctx, db.DeploymentsFinishParams{No: b.no, Now: store.Timestamp(b.Now())})
	case err != nil:
		return fmt.Errorf("find users who were left behind: %w", err)
	}
	if err := q.DeploymentsRewind(ctx, db.DeploymentsRewindParams{No: b.no, CursorID: first - 1}); err != nil {
		return fmt.Errorf("go back to users who were left behind: %w", err)
	}
	return retry.Sleep(ctx, retry.Min) // another process may have them just now
}
