package engine

import (
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/blame"
)

// The errors that calls of an engine return. They are those of package bucketgen.
var (
	ErrStopped             = bucketgen.ErrStopped
	ErrBusy                = bucketgen.ErrBusy
	ErrDeleted             = bucketgen.ErrDeleted
	ErrSuppressed          = bucketgen.ErrSuppressed
	ErrNoSecret            = bucketgen.ErrNoSecret
	ErrMergeNotAllowed     = bucketgen.ErrMergeNotAllowed
	ErrShared              = bucketgen.ErrShared
	ErrNeedsMerge          = bucketgen.ErrNeedsMerge
	ErrExcluded            = bucketgen.ErrExcluded
	ErrLeaseLost           = bucketgen.ErrLeaseLost
	ErrNotDeployed         = bucketgen.ErrNotDeployed
	ErrPaused              = bucketgen.ErrPaused
	ErrNotManual           = bucketgen.ErrNotManual
	ErrUnknownBucket       = bucketgen.ErrUnknownBucket
	ErrUnknownSubscription = bucketgen.ErrUnknownSubscription
	ErrUnknownUser         = bucketgen.ErrUnknownUser
	ErrCursor              = bucketgen.ErrCursor
	ErrIsolation           = bucketgen.ErrIsolation
)

// RetryAfterError is what [RetryAfter] returns.
type RetryAfterError = bucketgen.RetryAfterError

// RetryAfter returns an error by which a handler or a forwarder asks for the next attempt no sooner
// than after a time, as its target asked for. The attempt counts like any other. The error wraps
// err, and the dead letter has its text.
func RetryAfter(after time.Duration, err error) error {
	return &RetryAfterError{After: after, Err: err}
}

// GiveUpError is what [GiveUp] returns.
type GiveUpError = bucketgen.GiveUpError

// GiveUp returns an error by which a handler or a forwarder says that a transition cannot be
// handled however often it is tried: it becomes a dead letter at once. The error wraps err, and the
// dead letter has its text.
func GiveUp(err error) error { return &GiveUpError{Err: err} }

// InvalidError says which field of an event was refused, and why. Nothing of the event was stored.
type InvalidError = bucketgen.InvalidError

// Transient reports whether an error of the engine is about the moment, not about what was to be
// done: the database is away, read-only, full or restarting, the engine is about to stop, or the
// error is unforeseen. The same call may succeed later. It is false for an [*InvalidError], for
// sentinels such as [ErrDeleted], and for what PostgreSQL refuses because of what an event says.
func Transient(err error) bool { return blame.Transient(err) }
