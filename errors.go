package bucketgen

import (
	"errors"
	"time"
)

var (
	// ErrStopped is returned by calls that come before Start or after Stop.
	ErrStopped = errors.New("the engine is not running")

	// ErrBusy says that too many merges wait for their turn: see engine.Config.MaxMergesWaiting.
	// The same call may succeed later, and engine.Transient reports that.
	ErrBusy = errors.New("too many merges wait for their turn")

	// ErrDeleted is returned by a change of a user who is deleted. Restore brings them back.
	ErrDeleted = errors.New("the user is deleted")

	// ErrSuppressed is returned by a change of a user who was erased and may not come back.
	ErrSuppressed = errors.New("the user was erased, and the id is suppressed")

	// ErrNoSecret says that ids cannot be suppressed without a secret.
	ErrNoSecret = errors.New("suppression needs a secret: set engine.Config.SuppressionSecret, --secret-file or BUCKETGEN_SUPPRESSION_SECRET")

	// ErrShared is returned by an alias of an anonymous id that several users share, or that was
	// unlinked.
	ErrShared = errors.New("the id is shared by several users; force the alias if it is of this user alone")

	// ErrMergeNotAllowed is returned where two users would become one, and the caller is not
	// trusted to do that.
	ErrMergeNotAllowed = errors.New("both ids are known users; merge them by Engine.Merge, bucketd merge, or a server or admin key")

	// ErrNeedsMerge is returned by IngestTx for an event whose ids make two contacts one, or give
	// one another name. Ingest does that; within a transaction, call MergeTx before.
	ErrNeedsMerge = errors.New("the ids of the event lead to contacts that have to be merged first; use Ingest, or MergeTx before")

	// ErrExcluded is returned by a change of a manual bucket that would add an anonymous contact,
	// where the bucket excludes those.
	ErrExcluded = errors.New("the bucket excludes anonymous contacts; define it with Anonymous: bucket.Include")

	// ErrLeaseLost is the cause of the context of a handler or forwarder whose lease ended while it
	// ran, because it could not be kept: another process may have the delivery by now.
	ErrLeaseLost = errors.New("the lease of the delivery has ended")

	// ErrNotDeployed says that the definitions of the engine are not the deployed ones: nothing
	// happens to the buckets that differ until they are deployed.
	ErrNotDeployed = errors.New("the definitions of this program are not deployed; deploy them")

	// ErrPaused is returned by a change of a bucket that is paused.
	ErrPaused = errors.New("the bucket is paused")

	// ErrNotManual is returned by a manual change of a bucket that its criteria changes.
	ErrNotManual = errors.New("the bucket has criteria, so its members cannot be changed by hand")

	// ErrUnknownBucket is returned for a ref that belongs to no bucket of the engine's registry.
	ErrUnknownBucket = errors.New("the bucket is not in the registry of this engine")

	// ErrUnknownSubscription is returned for a subscription that should be in the database already,
	// and is not.
	ErrUnknownSubscription = errors.New("there is no subscription of that name")

	// ErrUnknownUser is returned by a read about a user who is not in the database.
	ErrUnknownUser = errors.New("the user is unknown")

	// ErrCursor is returned for a cursor that is ahead of the database: it comes from another one,
	// or this one was restored to an earlier state.
	ErrCursor = errors.New("the cursor is ahead of the database; begin without one")

	// ErrIsolation is returned by calls inside a transaction that is not READ COMMITTED. In any
	// other, the engine would read what was true before it got the user's lock.
	ErrIsolation = errors.New("the transaction is not READ COMMITTED")
)

// RetryAfterError is returned by a handler or a forwarder, possibly wrapped, for a transition that
// failed and should be tried again no sooner than After some time, as its target asked for. It
// counts as an attempt like any other. engine.RetryAfter makes one.
type RetryAfterError struct {
	After time.Duration
	Err   error // the cause; nil: none is known
}

// Error returns the text of the cause.
func (e *RetryAfterError) Error() string { return text(e.Err, "retry later") }

// Unwrap returns the cause.
func (e *RetryAfterError) Unwrap() error { return e.Err }

// GiveUpError is returned by a handler or a forwarder, possibly wrapped, for a transition that
// cannot be handled however often it is tried: the engine makes it a dead letter at once.
// engine.GiveUp makes one.
type GiveUpError struct {
	Err error // the cause; nil: none is known
}

// Error returns the text of the cause.
func (e *GiveUpError) Error() string { return text(e.Err, "give up") }

// Unwrap returns the cause.
func (e *GiveUpError) Unwrap() error { return e.Err }

// text returns the text of a cause, or another if there is none.
func text(cause error, otherwise string) string {
	if cause == nil {
		return otherwise
	}
	return cause.Error()
}

// InvalidError says which field of an event was refused, and why. Nothing of the event was stored.
type InvalidError struct {
	Field   string // like user_id or properties.plan
	Problem string
}

// Error returns the field and the problem.
func (e *InvalidError) Error() string { return e.Field + ": " + e.Problem }

// UnreadyError says why an engine does not take events at the moment.
type UnreadyError struct {
	// Reason may be shown to every caller: it names no host, role or value.
	Reason string

	// Err is the error of the database, nil if there is none.
	Err error
}

// Error returns the reason.
func (e *UnreadyError) Error() string { return e.Reason }

// Unwrap returns the error of the database.
func (e *UnreadyError) Unwrap() error { return e.Err }
