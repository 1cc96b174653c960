package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/scheduler"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
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

// DueHour is how many due instants come in an hour.
type DueHour = bucketgen.DueHour

// DueByHour returns how many users and buckets the clock evaluates in each of the coming hours if
// no event arrives, those that are overdue in the present one. It counts a million at most.
func (g *Clock) DueByHour(ctx context.Context, hours int) ([]DueHour, error) {
	const most = 1_000_000
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return nil, fmt.Errorf("due: %w", err)
	}
	now := e.config.Now()
	rows, err := e.store.Queries(e.pool).DueAhead(ctx, db.DueAheadParams{
		Now: store.Timestamp(now), Until: store.Timestamp(now.Add(time.Duration(hours) * time.Hour)), Most: most,
	})
	if err != nil {
		return nil, fmt.Errorf("due: %w", err)
	}
	all := make([]DueHour, len(rows))
	for i, row := range rows {
		all[i] = DueHour{At: row.Hour.Time.UTC(), Due: row.Due}
	}
	return all, nil
}

// forgetEvery returns how often the engine removes what is too old to be asked for: so often that
// it stays for a tenth longer than the settings say.
func (e *Engine) forgetEvery() time.Duration {
	c := &e.config
	shortest := min(c.IdempotencyHorizon, c.JobAge, c.AuditAge, c.DeadLetterAge, c.FeedAge)
	return min(max(shortest/10, time.Second), 10*time.Minute)
}

// forgetting returns the loop that removes what is too old to be asked for.
func (e *Engine) forgetting() *service.Loop {
	return &service.Loop{Component: "retention", Log: e.log, Turn: e.forget, Backoff: retry.Backoff{Min: time.Second, Max: e.forgetEvery()}}
}

// forget removes some of what is too old to be asked for: idempotency keys, marks of connections,
// deletions that every feed has seen, entries of the audit log, results of jobs, dead letters.
func (e *Engine) forget(ctx context.Context) (time.Duration, error) {
	const most = 10_000
	q, now := e.store.Queries(e.pool), e.config.Now()
	marks := q.WritersForget(ctx, store.Timestamp(now.Add(-24*time.Hour)))
	hidings := e.feed.Prune(ctx, now)
	ended := e.jobQueue().Forget(ctx, e.config.JobAge)
	moreDead, dead := e.forgetDead(ctx)
	moreAudit, entries := e.auditLog().Forget(ctx, e.config.AuditAge)
	n, keys := q.IdempotencyKeysForget(ctx, db.IdempotencyKeysForgetParams{Before: store.Timestamp(now.Add(-e.config.IdempotencyHorizon)), Most: most})
	wait := e.forgetEvery()
	if n == most || moreAudit || moreDead {
		wait = time.Millisecond
	}
	return wait, errors.Join(marks, hidings, ended, dead, entries, keys)
}

// forgetDead deletes some dead letters that are too old, and counts them.
func (e *Engine) forgetDead(ctx context.Context) (more bool, err error) {
	n, more, err := e.lettersNow().Forget(ctx, e.config.DeadLetterAge)
	if n > 0 {
		e.outbox.Counters().Forgotten.Add(n)
		e.log.InfoContext(ctx, "dead letters were deleted as too old", "component", "retention", "deliveries", n, "age", e.config.DeadLetterAge)
	}
	return more, err
}

// Overdue returns how long the earliest due instant has been waiting, whichever process is to
// settle it: 0 if nothing is overdue. It asks the database, where [Stats] holds what the clock of
// this engine saw last.
func (g *Clock) Overdue(ctx context.Context) (time.Duration, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return 0, fmt.Errorf("overdue: %w", err)
	}
	next, err := e.clock.NextDue(ctx)
	if err != nil {
		return 0, fmt.Errorf("overdue: %w", err)
	}
	return max(e.Now().Sub(next), 0), nil
}

// RollUp adds up the log of transitions since the last time, hour by hour, so that
// [Engine.MembershipHistory] and [Engine.BucketStats] read less. Their results stay the same. The
// engine does it every minute by itself; the method is for engines that run without a clock. While
// another process does it, it does nothing.
func (g *Clock) RollUp(ctx context.Context) error {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return fmt.Errorf("roll up: %w", err)
	}
	if _, err := e.rollup.Run(ctx); err != nil {
		return fmt.Errorf("roll up: %w", err)
	}
	return nil
}

// ExpiryTimer asks for a timer that fires when a member of a bucket with FastExpiry is due.
type ExpiryTimer = bucketgen.ExpiryTimer

// TimerOutcome is what an expired timer came to.
type TimerOutcome string

// What an expired timer comes to.
const (
	ExpiryLeft  TimerOutcome = "left"  // the member left
	ExpiryStays TimerOutcome = "stays" // the member stays; the next due instant, if there is one, gets a timer
	ExpiryStale TimerOutcome = "stale" // the stay or its due instant has changed since; this call moved no user
	ExpiryEarly TimerOutcome = "early" // by the clock of this process it has not expired; nothing was done
)

// OnExpiryTimer registers the function that sets timers for members of buckets with FastExpiry,
// before the engine starts. A timer calls [Clock.FireTimer] at its ExpiresAt. One goroutine calls
// f, after the commit of the transaction that sets the due instant, with up to 100 timers.
//
// Timers only reduce latency. If one is lost, because the process dies, or f cannot keep up or
// returns an error, the clock of any process settles the member all the same. IngestTx sets no
// timers, because its changes hold only once the caller commits: the clock settles those.
func (g *Clock) OnExpiryTimer(f func(ctx context.Context, timers []ExpiryTimer) error) error {
	e := (*Engine)(g)
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case f == nil:
		return errors.New("on expiry timer: the function is nil")
	case e.phase.Load() != fresh:
		return errors.New("on expiry timer: functions are registered before the engine starts")
	case e.timers != nil:
		return errors.New("on expiry timer: there is one already")
	}
	e.timers = scheduler.NewTimers(f, func(stays int) { e.stats.TimersDropped.Add(int64(stays)) }, e.log)
	return nil
}

// FireTimer is called when a timer has expired. If what it was set for still stands, the user is
// settled as the clock does it. Several calls do no harm, nor does a clock that is at it at the
// same time.
func (g *Clock) FireTimer(ctx context.Context, a ExpiryTimer) (TimerOutcome, error) {
	e := (*Engine)(g)
	came, err := e.expire(ctx, a)
	if err != nil {
		return "", fmt.Errorf("fire timer: %w", err)
	}
	return came, nil
}

func (e *Engine) expire(ctx context.Context, a ExpiryTimer) (TimerOutcome, error) {
	if err := e.ready(); err != nil {
		return "", err
	}
	b, known := e.registry.Bucket(a.BucketID)
	if !known {
		return "", fmt.Errorf("bucket %q: %w", a.BucketID, ErrUnknownBucket)
	}
	row, active, err := e.dueOf(ctx, b, a)
	switch {
	case err != nil:
		return "", err
	case !active || !row.DueAt.Time.Equal(a.ExpiresAt):
		return ExpiryStale, nil
	case e.now() < table.At(a.ExpiresAt):
		return ExpiryEarly, nil
	}
	t := &transact.Task{Want: store.Request{User: row.UserID}, Options: e.options(true), Step: (*decide.Session).Clock}
	if err := e.commitAll(ctx, []*transact.Task{t}, func(*transact.Task) { e.stats.Settled.Add(1) }); err != nil {
		return "", err
	}
	if slices.ContainsFunc(t.Result.Transitions, func(t decide.Transition) bool { return t.Bucket == b && t.Kind == Left }) {
		return ExpiryLeft, nil
	}
	switch _, active, err = e.dueOf(ctx, b, a); {
	case err != nil:
		return "", err
	case !active: // another transaction settled the user since the first read
		return ExpiryStale, nil
	default:
		return ExpiryStays, nil
	}
}

// dueOf returns the due instant of the stay of a timer, zero if it has none, the user who has the
// stay now, and whether it still lasts.
func (e *Engine) dueOf(ctx context.Context, b table.BucketIndex, a ExpiryTimer) (row db.MembershipsTimerRow, active bool, err error) {
	row, err = e.store.Queries(e.pool).MembershipsTimer(ctx, db.MembershipsTimerParams{UserID: a.UserID, BucketNo: e.store.Bucket(b)})
	switch {
	case noRow(err):
		return row, false, nil
	case err != nil:
		return row, false, fmt.Errorf("read the due instant of a member: %w", err)
	}
	return row, row.ID == a.MembershipID, nil
}

// Ahead returns by how much the clock of the process was ahead of the database's at the last
// heartbeat, negative if it was behind; 0 before the first.
func (g *Clock) Ahead() time.Duration {
	return g.heartbeat.Ahead()
}

// Now returns the time by the engine's clock: [Config].Now, less what that is ahead of the
// database's clock. A clock that is more than a minute ahead or behind counts as it is, and so does
// one of virtual time.
func (e *Engine) Now() time.Time {
	now, ahead := e.config.Now(), e.Clock().Ahead()
	if e.config.VirtualTime || ahead.Abs() > store.Tolerance {
		return now
	}
	return now.Add(-ahead)
}

func (e *Engine) now() table.Instant { return table.At(e.Now()) }
