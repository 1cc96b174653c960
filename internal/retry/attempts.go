package retry

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/blame"
)

// unknownFor is how long an error that is not known of databases or networks is retried. It may be
// a bug that never passes, and the caller may have no deadline.
const unknownFor = 10 * time.Second

// Attempts retries one call against the database for as long as its errors are transient, with
// backoff, and logs each failure. It is used by one goroutine.
type Attempts struct {
	Backoff

	// Component names what failed, in the log.
	Component string

	// Log takes a line for each failure.
	Log *slog.Logger

	// Stopping reports whether to give up because the engine stops. Nil: never.
	Stopping func() bool

	// ExpectedFunc reports whether an error is part of normal work, which is logged for debugging
	// only and retried however long it lasts. Nil: no error is.
	ExpectedFunc func(error) bool

	count int
	began time.Time
}

// Again waits until it is time for the next attempt and returns nil. It returns the error to give
// up with if none follows: the error is not transient, ctx has ended, the engine stops, or the
// error is not known and lasts.
func (a *Attempts) Again(ctx context.Context, err error) error {
	switch {
	case !blame.Transient(err) || errors.Is(err, bucketgen.ErrStopped):
		return err
	case ctx.Err() != nil:
		return errors.Join(ctx.Err(), err)
	case a.Stopping != nil && a.Stopping():
		return errors.Join(bucketgen.ErrStopped, err)
	}
	if a.count++; a.count == 1 {
		a.began = time.Now()
	}
	expected := a.ExpectedFunc != nil && a.ExpectedFunc(err)
	if !blame.Known(err) && !expected && time.Since(a.began) > unknownFor {
		return err
	}
	level := slog.LevelWarn
	if blame.LockTimeout(err) || expected {
		level = slog.LevelDebug // another transaction has the lock, which is no trouble
	}
	a.Log.Log(ctx, level, "database access failed, retrying",
		"component", a.Component, "attempt", a.count, "retry_in", a.Peek(), "reason", blame.Reason(err), "error", err)
	if ended := a.Sleep(ctx); ended != nil {
		return errors.Join(ended, err)
	}
	return nil
}

// Count returns how many failures there were.
func (a *Attempts) Count() int { return a.count }

// Reset forgets all failures, after a success.
func (a *Attempts) Reset() {
	a.Backoff.Reset()
	a.count = 0
}
