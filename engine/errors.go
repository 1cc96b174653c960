package engine

import "github.com/bucketgen/bucketgen"

// The errors that calls of an engine return. They are those of package bucketgen.
var (
	ErrStopped             = bucketgen.ErrStopped
	ErrBusy                = bucketgen.ErrBusy
	ErrDeleted             = bucketgen.ErrDeleted
	ErrMergeNotAllowed     = bucketgen.ErrMergeNotAllowed
	ErrLeaseLost           = bucketgen.ErrLeaseLost
	ErrNotDeployed         = bucketgen.ErrNotDeployed
	ErrPaused              = bucketgen.ErrPaused
	ErrNotManual           = bucketgen.ErrNotManual
	ErrUnknownBucket       = bucketgen.ErrUnknownBucket
	ErrUnknownSubscription = bucketgen.ErrUnknownSubscription
	ErrUnknownUser         = bucketgen.ErrUnknownUser
	ErrCursor              = bucketgen.ErrCursor
	ErrIsolation           = bucketgen.ErrIsolation
	Cancel                 = bucketgen.Cancel //nolint:errname // as there
)

// LaterError is returned by a handler or a forwarder for a transition that is to be tried again no sooner than after some time.
type LaterError = bucketgen.RetryAfterError

// InvalidError says which field of an event was refused, and why. Nothing of the event was stored.
type InvalidError = bucketgen.InvalidError
