package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/scheduler"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// ExpiryTimer asks for a timer that fires when a member of a bucket with FastExpiry is due.
type ExpiryTimer = bucketgen.ExpiryTimer

// TimerOutcome is what an expired timer came to.
type TimerOutcome string

// What an expired timer comes to.
const (
	ExpiryLeft  TimerOutcome = "left"  // the member left
	ExpiryStays TimerOutcome = "stays" // the member stays; the next due instant, if there is one, is armed
	ExpiryStale TimerOutcome = "stale" // the stay or its due instant has changed since; this call moved no user
	ExpiryEarly TimerOutcome = "early" // by the clock of this process it has not expired; nothing was done
)

// OnExpiryTimer registers the function that arms timers for members of buckets with FastExpiry,
// before the engine starts. A timer calls [Clock.FireTimer] at its ExpiresAt. One goroutine calls
// f, after the commit of the transaction that sets the due instant, with up to 100 timers.
//
// Timers only reduce latency. If one is lost, because the process dies, or f cannot keep up or
// returns an error, the clock of any process settles the member all the same. IngestTx arms no
// timers, because its changes hold only once the caller commits: the clock settles those.
func (g *Clock) OnExpiryTimer(f func(ctx context.Context, arms []ExpiryTimer) error) error {
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
	e.timers = scheduler.NewTimers(f, func(stays int) { e.stats.Unarmed.Add(int64(stays)) }, e.log)
	return nil
}

// FireTimer is called when a timer has expired. If what it was armed for still stands, the user is settled as the clock does it.
// Several calls do no harm, nor does a clock that is at it at the same time.
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
func (e *Engine) dueOf(ctx context.Context, b table.BucketIndex, a ExpiryTimer) (row db.MembershipsArmRow, active bool, err error) {
	row, err = e.store.Queries(e.pool).MembershipsArm(ctx, db.MembershipsArmParams{UserID: a.UserID, BucketNo: e.store.Bucket(b)})
	switch {
	case noRow(err):
		return row, false, nil
	case err != nil:
		return row, false, fmt.Errorf("read the due instant of a member: %w", err)
	}
	return row, row.ID == a.MembershipID, nil
}
