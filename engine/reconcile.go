package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
)

// Reconciliation is a derivation of all memberships anew.
type Reconciliation struct {
	No         int       `json:"no"`
	StartedAt  time.Time `json:"startedAt"`
	Users      int64     `json:"users"`               // there were, at its beginning
	Checked    int64     `json:"checked"`             // users
	Repaired   int64     `json:"repaired"`            // memberships and due instants that were not what they should be
	FinishedAt time.Time `json:"finishedAt,omitzero"` // zero while it is under way
}

// Reconcile derives every membership of every user anew and repairs what differs: joins and leaves have the source
// [SourceReconcile], and due instants that are missing are set. In a healthy system there is nothing to repair; this is for
// databases that were changed by hand, restored, or written to by a program with a mistake. Buckets that are paused are
// left alone.
//
// There is one reconciliation at a time. One that was interrupted goes on where it was, and if another process is at one,
// this waits for it. Engines reconcile by themselves as often as the most impatient of their buckets asks for by
// ReconcileEvery.
//
// progress is called now and then with how many users were checked; it may be nil. The engine must be running.
func (e *Engine) Reconcile(ctx context.Context, progress func(Reconciliation)) (Reconciliation, error) {
	if err := e.ready(); err != nil {
		return Reconciliation{}, fmt.Errorf("reconcile: %w", err)
	}
	if d, err := e.refresh(ctx); err != nil {
		return Reconciliation{}, fmt.Errorf("reconcile: %w", err)
	} else if !d.Agreed {
		return Reconciliation{}, fmt.Errorf("reconcile: %w", ErrNotDeployed)
	}
	if progress == nil {
		progress = func(Reconciliation) {}
	}
	begin := db.ReconciliationsBeginParams{Now: store.Timestamp(e.config.Now()), UnlessAfter: store.Timestamp(farFuture)}
	if err := e.store.Queries(e.pool).ReconciliationsBegin(ctx, begin); err != nil {
		return Reconciliation{}, fmt.Errorf("reconcile: begin: %w", err)
	}
	for {
		if err := e.reconcile(ctx, progress); err != nil {
			return Reconciliation{}, fmt.Errorf("reconcile: %w", err)
		}
		last, err := e.store.Queries(e.pool).ReconciliationsLast(ctx)
		if err != nil {
			return Reconciliation{}, fmt.Errorf("reconcile: read how far it is: %w", err)
		}
		if r := reconciliation(db.ReconciliationsTakeRow(last)); !r.FinishedAt.IsZero() {
			return r, nil
		}
		if err := retry.Sleep(ctx, e.config.DeployPoll); err != nil { // another process is at it
			return Reconciliation{}, fmt.Errorf("reconcile: %w", err)
		}
	}
}

var farFuture = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func reconciliation(row db.ReconciliationsTakeRow) Reconciliation {
	r := Reconciliation{No: int(row.No), StartedAt: row.StartedAt.Time.UTC(), Users: row.Users, Checked: row.Checked, Repaired: row.Repaired}
	if row.FinishedAt.Valid {
		r.FinishedAt = row.FinishedAt.Time.UTC()
	}
	return r
}

// reconcile goes on with the reconciliation that is under way, if there is one that no other process is at.
func (e *Engine) reconcile(ctx context.Context, progress func(Reconciliation)) error {
	const page = 500
	q := e.store.Queries(e.pool)
	lease := e.processID
	for {
		now := e.config.Now()
		until := store.Timestamp(now.Add(e.config.Lease))
		row, err := q.ReconciliationsTake(ctx, db.ReconciliationsTakeParams{Lease: lease, Until: until, Now: store.Timestamp(now)})
		switch {
		case noRow(err):
			return nil
		case err != nil:
			return fmt.Errorf("take what is under way: %w", err)
		}
		progress(reconciliation(row))
		users, err := q.ContactsPage(ctx, db.ContactsPageParams{AfterID: row.CursorID, Size: page})
		if err != nil {
			return fmt.Errorf("read users: %w", err)
		}
		if len(users) == 0 || users[0].ID > row.UptoID {
			return q.ReconciliationsFinish(ctx, db.ReconciliationsFinishParams{No: row.No, Lease: lease, Now: store.Timestamp(e.config.Now())})
		}
		report := db.ReconciliationsReportParams{No: row.No, Lease: lease, Until: until, CursorID: users[len(users)-1].ID, Checked: int64(len(users))}
		if report.Repaired, err = e.reconcileUsers(ctx, users); err != nil {
			return err
		}
		if n, err := q.ReconciliationsReport(ctx, report); err != nil || n == 0 {
			return err // or another process has taken it
		}
	}
}

// reconcileUsers derives the memberships of users anew and returns how much had to be repaired.
func (e *Engine) reconcileUsers(ctx context.Context, users []db.ContactsPageRow) (int64, error) {
	tasks := make([]*transact.Task, len(users))
	for i, u := range users {
		tasks[i] = e.present(u.UserID, u.ID, (*decide.Session).Reconcile)
	}
	repaired := int64(0)
	err := e.commitAll(ctx, tasks, func(t *transact.Task) { repaired += int64(t.Result.Repaired) })
	e.stats.repaired.Add(repaired)
	return repaired, err
}

// reconciling returns the loop that begins a reconciliation whenever one is due, and sees it through, or another process's. It
// is nil if no bucket asks for one.
func (e *Engine) reconciling() *service.Loop {
	every := service.Idle
	for i := range e.registry.Buckets {
		if asked := e.registry.Buckets[i].ReconcileEvery; asked > 0 {
			every = min(every, asked)
		}
	}
	if every == service.Idle {
		return nil
	}
	poll := min(every, time.Minute)
	return &service.Loop{
		Component: "reconcile", Log: e.log, Interrupt: true, Backoff: retry.Backoff{Min: time.Second, Max: poll},
		Turn: func(ctx context.Context) (time.Duration, error) { return poll, e.reconcileIfDue(ctx, every) },
	}
}

func (e *Engine) reconcileIfDue(ctx context.Context, every time.Duration) error {
	if !e.store.Deployment().Agreed {
		return nil
	}
	now := e.config.Now()
	err := e.store.Queries(e.pool).ReconciliationsBegin(ctx, db.ReconciliationsBeginParams{
		Now: store.Timestamp(now), UnlessAfter: store.Timestamp(now.Add(-every)),
	})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	var last Reconciliation
	err = e.reconcile(ctx, func(r Reconciliation) { last = r })
	if last.Repaired > 0 {
		e.log.WarnContext(ctx, "memberships were not what they should be and were repaired", "users", last.Checked, "repaired", last.Repaired)
	}
	return err
}
