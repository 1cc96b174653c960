package engine

import (
	"context"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// newRunner returns a runner of transactions over the buckets of a store.
func (e *Engine) newRunner(s *store.Store, r *table.Registry, view *store.Deployment) *transact.Runner {
	return &transact.Runner{Pool: e.pool, Store: s, Registry: r, View: view, Now: e.now, Log: e.log, Links: e.link}
}

// staysOnly returns a runner over buckets of which only the stays matter, whatever is deployed.
// What is decided about a bucket is decided by the one decide, which needs a registry that has it.
func (e *Engine) staysOnly(buckets []db.BucketgenBucket) *transact.Runner {
	s := store.StaysOnly(e.config.Schema, buckets)
	s.OwnTime = e.config.VirtualTime
	return e.newRunner(s, s.Registry(), s.Standalone())
}

// commitAll commits tasks however long their users are locked.
func (e *Engine) commitAll(ctx context.Context, tasks []*transact.Task, done func(*transact.Task)) error {
	return e.runner.CommitAll(ctx, e.attempts("reconcile"), tasks, done)
}

// decided counts what a session did.
func (e *Engine) decided(candidates, evaluations int) {
	e.stats.Candidates.Add(int64(candidates))
	e.stats.Evaluations.Add(int64(evaluations))
}

// committed wakes the loops of this process that a write concerns.
func (e *Engine) committed(w *store.Write) {
	if at, written := w.Due(); written {
		e.clock.Notice(at)
	}
	if e.timers != nil {
		e.timers.Notice(w)
	}
	if n := w.Transitions(); n > 0 {
		e.stats.Transitions.Add(int64(n))
		e.outbox.Wake()
	}
	if w.ChangesMembership() {
		e.feed.Wake()
	}
}

// attempts returns those of a call of the API, which are given up when the engine stops.
func (e *Engine) attempts(component string) *retry.Attempts {
	return &retry.Attempts{Component: component, Log: e.log, Stopping: func() bool { return e.phase.Load() == stopped }}
}
