package engine

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/bucketgen/bucketgen/internal/blame"
)

const (
	minRetry = 5 * time.Millisecond
	maxRetry = time.Second

	// unknownRetry is how long an error that is not known of databases or networks is retried. It may be a bug that never
	// passes, and the caller may have no deadline.
	unknownRetry = 10 * time.Second
)

// refusals are the errors of the engine that answer a call: the same call fails again until its input or the state that it
// names has changed.
var refusals = []error{
	ErrDeleted, ErrNotDeployed, ErrPaused, ErrUnknownBucket, ErrUnknownSubscription, ErrUnknownUser, ErrCursor, ErrIsolation, ErrMergeNotAllowed,
	errDynamic,
}

// Transient reports whether an error of the engine is about the moment, not about what was to be done: the database is away,
// read-only, full or restarting, the engine is about to stop, or the error is unforeseen. The same call may
// succeed later. It is false for an [*InvalidError], for sentinels such as [ErrDeleted], and for what PostgreSQL refuses
// because of what an event says.
func Transient(err error) bool {
	if err == nil || blame.Event(err) {
		return false
	}
	if _, invalid := errors.AsType[*InvalidError](err); invalid {
		return false
	}
	for _, refusal := range refusals {
		if errors.Is(err, refusal) {
			return false
		}
	}
	return true
}

// retrier retries what failed for a reason of the moment, with backoff, and logs each attempt. A retrier is used by one
// goroutine, for one call.
type retrier struct {
	engine *Engine
	what   string // that failed, for the log
	caller bool   // it is for a caller, who is not kept waiting while the engine stops

	attempt int
	began   time.Time
	wait    time.Duration
	unwell  bool // the health of the engine counts it
}

// retrier returns one for a call of the API.
func (e *Engine) retrier(what string) *retrier {
	return &retrier{engine: e, what: what, caller: true, wait: minRetry}
}

// again waits until it is time for the next attempt and returns nil. It returns the error to give up with if there is to be
// none: the error is no matter of the moment, ctx has ended, or the error is not known and lasts.
func (r *retrier) again(ctx context.Context, err error) error {
	if !Transient(err) || errors.Is(err, ErrStopped) {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return errors.Join(ctx.Err(), err)
	case r.caller && r.engine.phase.Load() == stopped:
		return errors.Join(ErrStopped, err)
	}
	if r.attempt++; r.attempt == 1 {
		r.began = time.Now()
	}
	if !blame.Known(err) && !errors.Is(err, errGone) && time.Since(r.began) > unknownRetry {
		return err
	}
	level := slog.LevelWarn
	if blame.LockTimeout(err) || errors.Is(err, errGone) {
		level = slog.LevelDebug // another transaction has the lock, which is no trouble
	}
	r.engine.log.Log(ctx, level, "the database does not take a write, retrying",
		"component", r.what, "attempt", r.attempt, "retry_in", r.wait, "reason", blame.Reason(err), "error", err)
	if ended := r.pause(ctx); ended != nil {
		return errors.Join(ended, err)
	}
	return nil
}

// pause waits for the time of the backoff, and doubles it.
func (r *retrier) pause(ctx context.Context) error {
	wait := r.wait
	r.wait = min(2*r.wait, maxRetry)
	return pause(ctx, wait)
}

// pause waits, or returns the error of the context if that ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
