package engine

import (
	"context"
	"fmt"

	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/rollout"
)

// Backfill takes all users through the last deployment who have not followed it yet, and returns
// it. Any number of processes share the work, beside everything else that they do, and the others
// take over the part of one that dies. Engines that run do so by themselves; this is for programs
// that wait for it.
//
// progress is called now and then, by one goroutine at a time; it may be nil. The engine need not
// have been started.
func (g *Deployments) Backfill(ctx context.Context, progress func(Deployment)) (Deployment, error) {
	e := (*Engine)(g)
	if err := e.open(ctx); err != nil {
		return Deployment{}, fmt.Errorf("backfill: %w", err)
	}
	if progress == nil {
		progress = func(Deployment) {}
	}
	d, err := e.rollout().Backfill(ctx, progress)
	if err != nil {
		return d, fmt.Errorf("backfill: %w", err)
	}
	return d, nil
}

// rollout returns the service that takes users through deployments. The engine must be open.
func (e *Engine) rollout() *rollout.Service {
	return &rollout.Service{
		Runner: e.runner, Options: e.options(true), Now: e.config.Now, Log: e.log, Refresh: e.refresh,
		Attempts: func(component string) *retry.Attempts { return &e.attempts(component).Attempts },
		Workers:  e.config.BackfillWorkers, Poll: e.config.DeployPoll, Process: e.processID, Lease: e.config.Lease,
		Repaired: func(n int64) { e.stats.Repaired.Add(n) },
	}
}
