package engine

import (
	"errors"
	"time"
)

var (
	// ErrStopped is returned by calls that come before Start or after Stop.
	ErrStopped = errors.New("the engine is not running")

	// ErrDeleted is returned when a user who is deleted was to be changed. Restore brings them back.
	ErrDeleted = errors.New("the user is deleted")

	// ErrMergeNotAllowed is returned where two users would become one, and the caller is not trusted to do that.
	ErrMergeNotAllowed = errors.New("both ids are known users; merge them by Engine.Merge, bucketd merge, or a server or admin key")

	// ErrLeaseLost is the cause of the context of a handler or forwarder whose lease ended while it ran, because it could not be
	// kept: another process may have the delivery by now.
	ErrLeaseLost = errors.New("the lease of the delivery has ended")

	// ErrNotDeployed says that what the engine has is not what is deployed: nothing happens to the buckets that differ until
	// somebody deploys it.
	ErrNotDeployed = errors.New("the definitions of this program are not what is deployed; deploy them")

	// ErrPaused is returned when a bucket that is paused was to be changed.
	ErrPaused = errors.New("the bucket is paused")

	// ErrUnknownBucket is returned for a ref that belongs to no bucket of the engine's registry.
	ErrUnknownBucket = errors.New("the bucket is not in the registry of this engine")

	// ErrUnknownSubscription is returned for a subscription that should be in the database already, and is not.
	ErrUnknownSubscription = errors.New("there is no subscription of that name")

	// ErrUnknownUser is returned when somebody asks about a user of whom nothing is known.
	ErrUnknownUser = errors.New("nothing is known of the user")

	// ErrCursor is returned for a cursor that is ahead of the database: it comes from another one, or this one was restored to
	// what it was before.
	ErrCursor = errors.New("the cursor is ahead of the database; begin without one")

	// ErrIsolation is returned by calls inside a transaction that is not READ COMMITTED. In any other, the engine would
	// read what was true before it got the user's lock.
	ErrIsolation = errors.New("the transaction is not READ COMMITTED")
)

// LaterError is returned by a handler or a forwarder, possibly wrapped, for a transition that failed and is to be tried again
// no sooner than After some time, as its target asked for. It counts as an attempt like any other.
type LaterError struct {
	After time.Duration
	Err   error
}

// Error returns the text of the error that the delivery failed with.
func (e *LaterError) Error() string { return e.Err.Error() }

// Unwrap returns the error that the delivery failed with.
func (e *LaterError) Unwrap() error { return e.Err }

// InvalidError says which field of an event was refused, and why. Nothing of the event was stored.
type InvalidError struct {
	Field   string // like user_id or properties.plan
	Problem string
}

// Error returns the field and the problem.
func (e *InvalidError) Error() string { return e.Field + ": " + e.Problem }
