package engine

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// Invalidation is what was committed between two polls of the database.
type Invalidation struct {
	// Began is when the second poll began, by the system clock: whatever was committed before is in
	// this one or an earlier one.
	Began time.Time

	// Users are those whose memberships may have changed: they entered or left a bucket, were deleted
	// or restored.
	Users []string

	// Buckets are the ids of the buckets that users entered or left.
	Buckets []string

	// Hidden says that some of the users were deleted or restored, which changes all their buckets.
	Hidden bool

	// Lost says that more has happened than is known here: all that is cached of any user may be
	// wrong.
	Lost bool
}

// Invalidations goes through polls of the database, from now on, for as long as ctx lasts: one
// whenever something happens, and one every Config.FeedPoll. It is for caches of memberships, which
// have to drop what has changed, and so has suppressed transitions, too. To a consumer that is slow
// several come as one. While the database is away, nothing comes. It ends with the error of ctx, or
// with [ErrStopped].
func (e *Engine) Invalidations(ctx context.Context) iter.Seq2[Invalidation, error] {
	return func(yield func(Invalidation, error) bool) {
		if err := e.ready(); err != nil {
			yield(Invalidation{}, fmt.Errorf("invalidations: %w", err))
			return
		}
		for one, err := range e.feed.Invalidations(ctx) {
			if err != nil {
				err = fmt.Errorf("invalidations: %w", err)
			}
			if !yield(Invalidation(one), err) {
				return
			}
		}
	}
}
