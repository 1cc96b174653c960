package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/scheduler"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
)

// newClock returns the clock. The engine must be open.
func (e *Engine) newClock() *scheduler.Clock {
	return scheduler.New(scheduler.Deps{
		Runner: e.runner, Options: e.options(true), Now: e.Now, Log: e.log, Poll: e.config.ClockPoll, Workers: e.config.ClockWorkers,
		Begin: func(ctx context.Context) (context.Context, func(error, int)) {
			ctx, end := e.telemetry.Begin(ctx, "clock")
			return ctx, func(err error, users int) { end(err, attribute.Int("bucketgen.users", users)) }
		},
		Lagged:  func(lag time.Duration) { e.stats.ClockLag.Store(int64(lag)) },
		Settled: func(users int) { e.stats.Settled.Add(int64(users)) },
		Failed:  e.health.Shun,
	})
}

// steady retries every second what the engine has to do within about that time.
var steady = retry.Backoff{Min: retry.Max}

// RunDue does what is due now, and returns how many users it evaluated once nothing is due any
// more. The engine's clock does that by itself; this is for engines that run without it, in tests
// above all.
func (g *Clock) RunDue(ctx context.Context) (int, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return 0, fmt.Errorf("run due: %w", err)
	}
	n, err := e.clock.RunDue(ctx, e.options(true), e.now, nil)
	if err != nil {
		return n, fmt.Errorf("run due: %w", err)
	}
	return n, nil
}

// forgetEvery is how often the engine removes what is too old to be asked for.
const forgetEvery = 10 * time.Minute

// forgetting returns the loop that removes what is too old to be asked for.
func (e *Engine) forgetting() *service.Loop {
	return &service.Loop{Component: "retention", Log: e.log, Turn: e.forget, Backoff: retry.Backoff{Min: time.Second, Max: forgetEvery}}
}

// forget removes some of what is too old to be asked for: idempotency keys, marks of connections, deletions that every feed has seen.
func (e *Engine) forget(ctx context.Context) (time.Duration, error) {
	const most = 10_000
	q, now := e.store.Queries(e.pool), e.config.Now()
	marks := q.WritersForget(ctx, store.Timestamp(now.Add(-24*time.Hour)))
	hidings := e.feed.Prune(ctx, now)
	moreAudit, entries := e.auditLog().Forget(ctx, e.config.AuditAge)
	n, keys := q.IdempotencyKeysForget(ctx, db.IdempotencyKeysForgetParams{Before: store.Timestamp(now.Add(-e.config.IdempotencyHorizon)), Most: most})
	if n == most || moreAudit {
		return time.Millisecond, errors.Join(marks, hidings)
	}
	return forgetEvery, errors.Join(marks, hidings, entries, keys)
}
