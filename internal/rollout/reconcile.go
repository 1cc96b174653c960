package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

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

// reconcile continues the unfinished reconciliation, if there is one that no other process has.
func (s *Service) reconcile(ctx context.Context, progress func(bucketgen.Reconciliation)) error {
	const page = 500
	q, lease := s.queries(), s.Process
	for {
		now := s.Now()
		until := store.Timestamp(now.Add(s.Lease))
		row, err := q.ReconciliationsTake(ctx, db.ReconciliationsTakeParams{Lease: lease, Until: until, Now: store.Timestamp(now)})
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return nil
		case err != nil:
			return fmt.Errorf("take the reconciliation: %w", err)
		}
		progress(reconciliation(row))
		users, err := q.ContactsPage(ctx, db.ContactsPageParams{AfterID: row.CursorID, Size: page})
		if err != nil {
			return fmt.Errorf("read users: %w", err)
		}
		if len(users) == 0 || users[0].ID > row.UptoID {
			return q.ReconciliationsFinish(ctx, db.ReconciliationsFinishParams{No: row.No, Lease: lease, Now: store.Timestamp(s.Now())})
		}
		report := db.ReconciliationsReportParams{No: row.No, Lease: lease, Until: until, CursorID: users[len(users)-1].ID, Checked: int64(len(users))}
		if report.Repaired, err = s.ReconcileUsers(ctx, users); err != nil {
			return err
		}
		if n, err := q.ReconciliationsReport(ctx, report); err != nil || n == 0 {
			return err // none: another process has taken it
		}
	}
}

// ReconcileUsers derives the memberships of users anew and returns how many it repaired.
func (s *Service) ReconcileUsers(ctx context.Context, users []db.ContactsPageRow) (int64, error) {
	tasks := make([]*transact.Task, len(users))
	for i, u := range users {
		tasks[i] = s.Runner.Existing(u.UserID, u.ID, s.Options, (*decide.Session).Reconcile)
	}
	repaired := int64(0)
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
