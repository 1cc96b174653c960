package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// clock settles what is due, for whichever users it is. It sleeps until the earliest due instant that the database
// holds, and asks again now and then for those that other processes have written since.
type clock struct {
	engine *Engine
	loop   service.Loop
	until  atomic.Int64 // the due instant that it waits for
}

func newClock(e *Engine) *clock {
	c := &clock{engine: e}
	c.loop = service.Loop{Component: "clock", Log: e.log, Turn: c.turn, Backoff: steady, Failed: e.shun}
	return c
}

// steady retries every second what the engine has to do within about that time.
var steady = retry.Backoff{Min: retry.Max}

// dueBatch is how many due instants are settled by one transaction.
const dueBatch = 500

// turn settles whatever is due and returns how long to sleep.
func (c *clock) turn(ctx context.Context) (time.Duration, error) {
	e := c.engine
	next, err := e.nextDue(ctx)
	if err != nil {
		return 0, err
	}
	lag := e.Now().Sub(next)
	e.stats.clockLag.Store(int64(max(lag, 0)))
	c.until.Store(int64(table.At(next)))
	if lag < 0 {
		return min(-lag, e.config.ClockPoll), nil
	}
	settled, err := e.settleDue(ctx, e.options(true), e.now, c.loop.Stopping())
	switch {
	case err != nil || settled > 0:
		return 0, err
	case !e.store.Deployment().Agreed:
		return e.config.ClockPoll, nil // or is to follow first what this process cannot take them through
	default:
		return retry.Min, nil // whoever is due is locked by somebody
	}
}

// notice tells the clock of a due instant that was written. If it is earlier than the one that the clock waits for, the
// clock looks again.
func (c *clock) notice(at table.Instant) {
	if int64(at) >= c.until.Load() {
		return
	}
	c.loop.Wake()
}

// nextDue returns the earliest due instant, or a time in the far future.
func (e *Engine) nextDue(ctx context.Context) (time.Time, error) {
	ctx, cancel := e.answering(ctx)
	defer cancel()
	at, err := e.store.Queries(e.pool).DueNext(ctx, e.store.Deployment().Active)
	switch {
	case noRow(err):
		return e.Now().Add(24 * time.Hour), nil
	case err != nil:
		return time.Time{}, fmt.Errorf("read the next due instant: %w", err)
	}
	return at.Time, nil
}

// RunDue does what is due now, and returns how many users it looked at once nothing is due any more. The engine's clock
// does that by itself; this is for engines that run without it, in tests above all.
func (g *Clock) RunDue(ctx context.Context) (int, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return 0, fmt.Errorf("run due: %w", err)
	}
	n, err := e.settleDue(ctx, e.options(true), e.now, nil)
	if err != nil {
		return n, fmt.Errorf("run due: %w", err)
	}
	return n, nil
}

// settleDue settles users until nothing is due any more, several batches at once. It returns how many users it
// settled.
func (e *Engine) settleDue(ctx context.Context, o decide.Options, now func() table.Instant, quit <-chan struct{}) (int, error) {
	var group sync.WaitGroup
	var mu sync.Mutex
	var failed error
	settled := 0
	for range e.config.ClockWorkers {
		group.Go(func() {
			for {
				n, err := e.settleBatch(ctx, o, now())
				mu.Lock()
				settled += n
				if err != nil {
					failed = err
				}
				stop := failed != nil
				mu.Unlock()
				select {
				case <-quit:
					return
				default:
				}
				if n == 0 || stop {
					return
				}
			}
		})
	}
	group.Wait()
	return settled, failed
}

// settleBatch settles the users whose due instants have waited longest and whose locks nobody holds. It returns how
// many there were.
func (e *Engine) settleBatch(ctx context.Context, o decide.Options, now table.Instant) (int, error) {
	ctx, end := e.telemetry.begin(ctx, "clock")
	users, settles, err := e.runner.CommitDue(ctx, now, dueBatch, func(user store.Request) *transact.Task {
		return &transact.Task{Want: user, Options: o, Step: func(s *decide.Session, clock table.Instant) decide.Result {
			if !o.Live {
				clock = now
			}
			return s.Clock(clock)
		}}
	})
	end(err, attribute.Int("bucketgen.users", users))
	if err != nil || !settles { // by the database's clock, nothing is due yet
		return 0, err
	}
	e.stats.settled.Add(int64(users))
	return users, nil
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
	n, keys := q.IdempotencyKeysForget(ctx, db.IdempotencyKeysForgetParams{Before: store.Timestamp(now.Add(-e.config.IdempotencyHorizon)), Most: most})
	if n == most {
		return time.Millisecond, errors.Join(marks, hidings)
	}
	return forgetEvery, errors.Join(marks, hidings, keys)
}
