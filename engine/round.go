package engine

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// Round is what was committed between two looks at the database.
type Round struct {
	// Began is when the second look began, by the time of the world: whatever was committed before is told by this round or
	// an earlier one.
	Began time.Time

	// Users are those whose buckets may be others than before: they entered or left, were deleted or restored.
	Users []string

	// Buckets are the ids of those that somebody entered or left.
	Buckets []string

	// Hidden says that some of the users were deleted or restored: that shows in whatever bucket they are in.
	Hidden bool

	// Lost says that more has happened than is known here: all that is remembered of whatever user may be wrong.
	Lost bool
}

// Rounds goes through looks at the database, from now on, for as long as ctx lasts: one whenever something happens, and one
// every Config.FeedPoll. It is for who remembers what users are in, and so has to forget it in time: what is suppressed counts
// here, too. To a consumer who is slow several rounds come as one. While the database is away, nothing comes. It ends with the
// error of ctx, or with [ErrStopped].
func (e *Engine) Rounds(ctx context.Context) iter.Seq2[Round, error] {
	return func(yield func(Round, error) bool) {
		if err := e.rounds(ctx, yield); err != nil {
			yield(Round{}, fmt.Errorf("rounds: %w", err))
		}
	}
}

func (e *Engine) rounds(ctx context.Context, yield func(Round, error) bool) error {
	if err := e.ready(); err != nil {
		return err
	}
	leave, err := e.feed.join()
	if err != nil {
		return err
	}
	defer leave()
	now, err := e.feed.fresh(ctx)
	if err != nil {
		return err
	}
	round := Round{Began: now.began, Lost: true} // what happened before is not known here
	for no := now.no; ; no = now.no {
		if !yield(round, nil) {
			return nil
		}
		select {
		case <-now.next:
		case <-ctx.Done():
			return ctx.Err()
		case <-e.feed.quit:
			return ErrStopped
		}
		var rounds []*told
		var remembered bool
		rounds, now, remembered = e.feed.since(no)
		round = Round{Began: now.began, Lost: !remembered}
		for _, r := range rounds {
			round.add(r)
		}
	}
}

// add adds what happened.
func (r *Round) add(t *told) {
	users, buckets := map[string]bool{}, map[string]bool{}
	for _, user := range r.Users {
		users[user] = true
	}
	for _, id := range r.Buckets {
		buckets[id] = true
	}
	user := func(id string) {
		if !users[id] {
			users[id] = true
			r.Users = append(r.Users, id)
		}
	}
	for i := range t.entries {
		one := &t.entries[i]
		if one.Kind == Dwell {
			continue
		}
		if user(one.UserID); !buckets[one.BucketID] {
			buckets[one.BucketID] = true
			r.Buckets = append(r.Buckets, one.BucketID)
		}
	}
	for _, id := range t.hidden {
		user(id)
		r.Hidden = true
	}
}
