package feed

import (
	"context"
	"iter"
	"time"

	"github.com/bucketgen/bucketgen"
)

// Invalidation is what a cache of memberships has to drop after a poll.
type Invalidation struct {
	Began   time.Time // Began is when the poll began; whatever was committed before is covered by now
	Users   []string  // Users are those who entered or left a bucket, were deleted or restored
	Buckets []string  // Buckets are the ids of those that users entered or left
	Hidden  bool      // Hidden says that some of the users were deleted or restored, which concerns all their buckets
	Lost    bool      // Lost says that more has happened than is known here
}

// Invalidations goes through the polls of the feed, from now on, until ctx ends or the feed stops.
// The first one is lost: what happened before is not known. Several come as one to a consumer that
// is slow.
func (f *Feed) Invalidations(ctx context.Context) iter.Seq2[Invalidation, error] {
	return func(yield func(Invalidation, error) bool) {
		if err := f.invalidate(ctx, yield); err != nil {
			yield(Invalidation{}, err)
		}
	}
}

func (f *Feed) invalidate(ctx context.Context, yield func(Invalidation, error) bool) error {
	leave, err := f.join(0)
	if err != nil {
		return err
	}
	defer leave()
	now, err := f.fresh(ctx)
	if err != nil {
		return err
	}
	all := Invalidation{Began: now.began, Lost: true}
	for yield(all, nil) {
		select {
		case <-now.next:
		case <-ctx.Done():
			return ctx.Err()
		case <-f.poller.Stopping():
			return bucketgen.ErrStopped
		}
		var batches []*batch
		var kept bool
		batches, now, kept = f.since(now.no)
		all = invalidation(batches)
		all.Began, all.Lost = now.began, !kept
	}
	return nil
}

// invalidation returns what batches invalidate together.
func invalidation(batches []*batch) Invalidation {
	var all Invalidation
	users, buckets := map[string]bool{}, map[string]bool{}
	for _, b := range batches {
		for i := range b.entries {
			entry := &b.entries[i]
			if entry.Kind == bucketgen.Dwell || entry.notice != nil { // a merge hides the users as well
				continue
			}
			all.Users = appendNew(all.Users, users, entry.name)
			all.Buckets = appendNew(all.Buckets, buckets, entry.BucketID)
		}
		for _, user := range b.hidden {
			all.Users = appendNew(all.Users, users, user)
			all.Hidden = true
		}
	}
	return all
}

// appendNew appends an id unless it was seen before.
func appendNew(ids []string, seen map[string]bool, id string) []string {
	if seen[id] {
		return ids
	}
	seen[id] = true
	return append(ids, id)
}
