package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"go.opentelemetry.io/otel/attribute"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry"
)

// clock settles what is due, for whichever users it is. It sleeps until the earliest due instant that the database
// holds, and asks again now and then for those that other processes have written since.
type clock struct {
	engine *Engine
	wake   chan struct{}
	quit   chan struct{}
	once   sync.Once
	until  atomic.Int64 // the due instant that it waits for
}

func newClock(e *Engine) *clock {
	return &clock{engine: e, wake: make(chan struct{}, 1), quit: make(chan struct{})}
}

// dueBatch is how many due instants are settled by one transaction.
const dueBatch = 500

func (c *clock) run(ctx context.Context) {
	for {
		wait, err := c.turn(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			c.engine.shun(err)
			c.engine.log.ErrorContext(ctx, "clock failed, retrying", "component", "clock", "retry_in", maxRetry, "reason", blame.Reason(err), "error", err)
			wait = maxRetry
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-c.wake:
		case <-c.quit:
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// turn settles whatever is due and returns how long to sleep.
func (c *clock) turn(ctx context.Context) (time.Duration, error) {
	e := c.engine
	next, err := e.nextDue(ctx)
	if err != nil {
		return 0, err
	}
	lag := e.Now().Sub(next)
	e.stats.clockLag.Store(int64(max(lag, 0)))
	c.until.Store(int64(registry.At(next)))
	if lag < 0 {
		return min(-lag, e.config.ClockPoll), nil
	}
	settled, err := e.settleDue(ctx, e.options(true), e.now, c.quit)
	switch {
	case err != nil || settled > 0:
		return 0, err
	case !e.store.Deployment().Agreed:
		return e.config.ClockPoll, nil // or is to follow first what this process cannot take them through
	default:
		return minRetry, nil // whoever is due is locked by somebody
	}
}

// notice tells the clock of a due instant that was written. If it is earlier than the one that the clock waits for, the
// clock looks again.
func (c *clock) notice(at registry.Instant) {
	if int64(at) >= c.until.Load() {
		return
	}
	c.poke()
}

// poke lets the clock look again.
func (c *clock) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *clock) stop() { c.once.Do(func() { close(c.quit) }) }

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

// Settle does what is due now, and returns how many users it looked at once nothing is due any more. The engine's clock
// does that by itself; this is for engines that run without it, in tests above all.
func (e *Engine) Settle(ctx context.Context) (int, error) {
	if err := e.ready(); err != nil {
		return 0, fmt.Errorf("settle: %w", err)
	}
	n, err := e.settleDue(ctx, e.options(true), e.now, nil)
	if err != nil {
		return n, fmt.Errorf("settle: %w", err)
	}
	return n, nil
}

// settleDue settles users until nothing is due any more, several batches at once. It returns how many users it
// settled.
func (e *Engine) settleDue(ctx context.Context, o decide.Options, now func() registry.Instant, quit <-chan struct{}) (int, error) {
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
func (e *Engine) settleBatch(ctx context.Context, o decide.Options, now registry.Instant) (int, error) {
	ctx, cancel := e.answering(ctx)
	defer cancel()
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return 0, fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	users, err := e.store.LockDue(ctx, conn, store.Replan(conn.Conn().PgConn()), now, dueBatch)
	if err != nil || len(users) == 0 {
		return 0, e.rollback(ctx, conn, err)
	}
	tasks := make([]*task, len(users))
	for i, user := range users {
		tasks[i] = &task{want: user, options: o, step: func(s *decide.Session, clock registry.Instant) {
			if !o.Live {
				clock = now
			}
			s.Clock(clock)
		}}
	}
	ctx, end := e.telemetry.begin(ctx, "clock")
	some, err := e.settle(ctx, conn, tasks)
	end(err, attribute.Int("bucketgen.users", len(users)))
	if err != nil {
		return 0, e.rollback(ctx, conn, err)
	}
	e.answered(nil)
	if !some { // by the database's clock, nothing is due yet
		return 0, nil
	}
	e.stats.settled.Add(int64(len(users)))
	return len(users), nil
}

// settle runs tasks for users whose locks conn's transaction holds already, and commits. It reports whether some due instant
// was settled.
func (e *Engine) settle(ctx context.Context, conn store.Conn, tasks []*task) (bool, error) {
	facts, err := e.store.Load(ctx, conn, store.Lock{}, wanted(tasks))
	if err != nil {
		return false, err
	}
	write, err := e.decide(ctx, conn, facts, tasks)
	if err != nil {
		return false, err
	}
	if err := write.Send(ctx, conn, e.store, true); err != nil {
		return false, fmt.Errorf("write: %w", err)
	}
	facts.Remember(write)
	e.tell(write)
	return write.Settles(), nil
}

// forget removes what is too old to be asked for, now and then: idempotency keys, marks of connections, who was deleted.
func (e *Engine) forget(ctx context.Context) {
	const every, most = 10 * time.Minute, 10_000
	for {
		before := pgtype.Timestamptz{Time: e.config.Now().Add(-e.config.IdempotencyHorizon), Valid: true}
		yesterday := store.Timestamp(e.config.Now().Add(-24 * time.Hour))
		if err := e.store.Queries(e.pool).WritersForget(ctx, yesterday); err != nil && ctx.Err() == nil {
			e.log.ErrorContext(ctx, "old marks of connections cannot be removed, trying again later", "error", err)
		}
		if err := e.forgetHidings(ctx); err != nil && ctx.Err() == nil {
			e.log.ErrorContext(ctx, "what was seen long ago cannot be removed, trying again later", "error", err)
		}
		n, err := e.store.Queries(e.pool).IdempotencyKeysForget(ctx, db.IdempotencyKeysForgetParams{Before: before, Most: most})
		if err != nil && ctx.Err() == nil {
			e.log.ErrorContext(ctx, "old idempotency keys cannot be removed, trying again later", "error", err)
		}
		wait := every
		if n == most {
			wait = time.Millisecond
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-e.clock.quit:
			timer.Stop()
			return
		}
	}
}
