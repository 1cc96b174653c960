package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
)

// Reconcile begins a reconciliation, unless one is unfinished, and sees it through, also if another
// process has it.
func (s *Service) Reconcile(ctx context.Context, progress func(bucketgen.Reconciliation)) (bucketgen.Reconciliation, error) {
	begin := db.ReconciliationsBeginParams{Now: store.Timestamp(s.Now()), UnlessAfter: store.Timestamp(farFuture)}
	if err := s.queries().ReconciliationsBegin(ctx, begin); err != nil {
		return bucketgen.Reconciliation{}, fmt.Errorf("begin: %w", err)
	}
	for {
		if err := s.reconcile(ctx, progress); err != nil {
			return bucketgen.Reconciliation{}, err
		}
		last, err := s.queries().ReconciliationsLast(ctx)
		if err != nil {
			return bucketgen.Reconciliation{}, fmt.Errorf("read how far it is: %w", err)
		}
		if r := reconciliation(db.ReconciliationsTakeRow(last)); !r.FinishedAt.IsZero() {
			return r, nil
		}
		if err := retry.Sleep(ctx, s.Poll); err != nil { // another process has it
			return bucketgen.Reconciliation{}, err
		}
	}
}

var farFuture = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func reconciliation(row db.ReconciliationsTakeRow) bucketgen.Reconciliation {
	r := bucketgen.Reconciliation{No: int(row.No), StartedAt: row.StartedAt.Time.UTC(), Users: row.Users, Checked: row.Checked, Repaired: row.Repaired}
	if row.FinishedAt.Valid {
		r.FinishedAt = row.FinishedAt.Time.UTC()
	}
	return r
}

// errTaken says that another process has taken the reconciliation.
var errTaken = errors.New("another process has the reconciliation")

// reconcile continues the unfinished reconciliation, if there is one that no other process has.
func (s *Service) reconcile(ctx context.Context, progress func(bucketgen.Reconciliation)) error {
	q, lease := s.queries(), s.Process
	var row db.ReconciliationsTakeRow
	var until pgtype.Timestamptz
	err := transact.ForEach(ctx, nil, 0, func(int64) (users []transact.User, err error) {
		now := s.Now()
		until = store.Timestamp(now.Add(s.Lease))
		row, err = q.ReconciliationsTake(ctx, db.ReconciliationsTakeParams{Lease: lease, Until: until, Now: store.Timestamp(now)})
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return nil, errTaken
		case err != nil:
			return nil, fmt.Errorf("take the reconciliation: %w", err)
		}
		progress(reconciliation(row))
		users, err = usersAfter(ctx, q, row.CursorID)
		if err != nil || len(users) > 0 && users[0].Contact > row.UptoID {
			return nil, err
		}
		return users, nil
	}, func(users []transact.User) (reached int64, err error) {
		report := db.ReconciliationsReportParams{No: row.No, Lease: lease, Until: until, CursorID: transact.Last(users), Checked: int64(len(users))}
		if report.Repaired, err = s.ReconcileUsers(ctx, users); err != nil {
			return 0, err
		}
		n, err := q.ReconciliationsReport(ctx, report)
		if err == nil && n == 0 {
			err = errTaken
		}
		return report.CursorID, err
	})
	switch {
	case errors.Is(err, errTaken):
		return nil
	case err != nil:
		return err
	}
	return q.ReconciliationsFinish(ctx, db.ReconciliationsFinishParams{No: row.No, Lease: lease, Now: store.Timestamp(s.Now())})
}

// ReconcileUsers derives the memberships of users anew and returns how many it repaired.
func (s *Service) ReconcileUsers(ctx context.Context, users []transact.User) (int64, error) {
	repaired := int64(0)
	tasks := s.Runner.Tasks(users, s.Options, (*decide.Session).Reconcile)
	err := s.Runner.CommitAll(ctx, s.Attempts("reconcile"), tasks, func(t *transact.Task) { repaired += int64(t.Result.Repaired) })
	s.Repaired(repaired)
	return repaired, err
}

// Reconciling returns the loop that begins a reconciliation whenever one is due, and sees it
// through, or that of another process. It is nil if no bucket asks for one.
func (s *Service) Reconciling() *service.Loop {
	every := service.Idle
	for i := range s.Runner.Registry.Buckets {
		if asked := s.Runner.Registry.Buckets[i].ReconcileEvery; asked > 0 {
			every = min(every, asked)
		}
	}
	if every == service.Idle {
		return nil
	}
	poll := min(every, time.Minute)
	return &service.Loop{
		Component: "reconcile", Log: s.Log, Interrupt: true, Backoff: retry.Backoff{Min: time.Second, Max: poll},
		Turn: func(ctx context.Context) (time.Duration, error) { return poll, s.reconcileIfDue(ctx, every) },
	}
}

func (s *Service) reconcileIfDue(ctx context.Context, every time.Duration) error {
	if !s.Runner.Store.Deployment().Agreed {
		return nil
	}
	now := s.Now()
	err := s.queries().ReconciliationsBegin(ctx, db.ReconciliationsBeginParams{
		Now: store.Timestamp(now), UnlessAfter: store.Timestamp(now.Add(-every)),
	})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	var last bucketgen.Reconciliation
	err = s.reconcile(ctx, func(r bucketgen.Reconciliation) { last = r })
	if last.Repaired > 0 {
		s.Log.WarnContext(ctx, "wrong memberships repaired", "component", "reconcile", "users", last.Checked, "repaired", last.Repaired)
	}
	return err
}
