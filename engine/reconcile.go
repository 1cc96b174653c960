package engine

import (
	"context"
	"fmt"

	"github.com/bucketgen/bucketgen"
)

// Reconciliation is a derivation of all memberships anew.
type Reconciliation = bucketgen.Reconciliation

// Reconcile derives every membership of every user anew and repairs what differs: joins and leaves
// have the source [SourceReconcile], and missing due instants are set. In a healthy system there is
// nothing to repair; this is for databases that were changed by hand, restored, or written to by a
// program with a mistake. Buckets that are paused are left alone.
//
// There is one reconciliation at a time. One that was interrupted continues where it was, and if
// another process has one, this waits for it. Engines reconcile by themselves as often as the most
// impatient of their buckets asks for by ReconcileEvery.
//
// progress is called now and then with how many users were checked; it may be nil. The engine must
// be running.
func (g *Deployments) Reconcile(ctx context.Context, progress func(Reconciliation)) (Reconciliation, error) {
	e := (*Engine)(g)
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
	r, err := e.rollout().Reconcile(ctx, progress)
	if err != nil {
		return Reconciliation{}, fmt.Errorf("reconcile: %w", err)
	}
	return r, nil
}
