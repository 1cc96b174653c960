package engine

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry"
)

// Step is the length of a step of time.
type Step time.Duration

// The steps of histories: hours and days of UTC.
const (
	Hourly = Step(time.Hour)
	Daily  = Step(24 * time.Hour)
)

// SizePoint is what happened to a bucket within an hour or a day.
type SizePoint = bucketgen.SizePoint

// Flow is how many users entered and left a bucket.
type Flow = bucketgen.Flow

// MembershipHistory returns how many members a bucket had, and how many users entered and left it,
// hour by hour or day by day: for each one from that of from to that of to. A zero from begins with
// the first transition, a zero to ends now.
//
// The time that it takes grows with the number of hours in which anything happened, and not with
// the number of members. The result is up to date. As with [Engine.HasAt], it does not show that a
// user was deleted for a while.
func (e *Engine) MembershipHistory(ctx context.Context, bucket registry.BucketRef, from, to time.Time, step Step) ([]SizePoint, error) {
	b, err := e.lookup(bucket)
	if err != nil {
		return nil, fmt.Errorf("membership history: %w", err)
	}
	if to.IsZero() {
		to = e.config.Now()
	}
	h, err := e.rollup.History(ctx, e.store.Bucket(b), from, to, time.Duration(step))
	if err != nil {
		return nil, fmt.Errorf("membership history: %w", err)
	}
	return h.Points, nil
}

// History goes through everything that happened to the memberships of a user, in the order in which
// it was decided. After an error there is no more. Buckets that this engine's registry does not
// have are left out. The transitions of a user who was merged into this one are included, under the
// name of that user.
func (e *Engine) History(ctx context.Context, userID string) iter.Seq2[Transition, error] {
	return func(yield func(Transition, error) bool) {
		if err := e.ready(); err != nil {
			yield(Transition{}, fmt.Errorf("history: %w", err))
			return
		}
		after := int64(0)
		for {
			rows, err := e.store.Queries(e.reads()).TransitionsOf(ctx, db.TransitionsOfParams{UserID: userID, AfterID: after, Size: pageSize})
			if err != nil {
				yield(Transition{}, fmt.Errorf("history: %w", err))
				return
			}
			for _, row := range rows {
				after = row.BucketgenTransition.ID
				if t, known := e.logged(row.BucketgenTransition, row.UserID, row.Email); known && !yield(t, nil) {
					return
				}
			}
			if len(rows) < pageSize {
				return
			}
		}
	}
}

// HistoryPage returns a page of what [Engine.History] goes through. An unknown user gives
// [ErrUnknownUser], one who is deleted [ErrDeleted].
func (e *Engine) HistoryPage(ctx context.Context, userID string, p Page) ([]Transition, int64, error) {
	if err := e.checkUserID(userID); err != nil {
		return nil, 0, fmt.Errorf("history: %w", err)
	}
	rows, err := e.store.Queries(e.reads()).TransitionsOf(ctx, db.TransitionsOfParams{UserID: userID, AfterID: p.After, Size: p.limit()})
	if err == nil && len(rows) == 0 {
		err = e.requireUser(ctx, userID)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("history: %w", err)
	}
	page := []Transition{}
	for _, row := range rows {
		if t, known := e.logged(row.BucketgenTransition, row.UserID, row.Email); known {
			page = append(page, t)
		}
	}
	return page, p.next(len(rows), func() int64 { return rows[len(rows)-1].BucketgenTransition.ID }), nil
}

// HasAt reports whether a user was in a bucket at a time: what [Engine.Has] would have said then,
// had the clock's work been done. A stay counts from the instant at which the user entered and up
// to the one at which they left, which does not belong to it. A user who is deleted now was in no
// bucket since the deletion. A deletion that was undone leaves no trace.
func (e *Engine) HasAt(ctx context.Context, bucket registry.BucketRef, userID string, at time.Time) (bool, error) {
	b, err := e.lookup(bucket)
	if err != nil {
		return false, fmt.Errorf("has at a time: %w", err)
	}
	had, err := e.store.Queries(e.reads()).MembershipsHadAt(ctx, db.MembershipsHadAtParams{
		UserID: userID, BucketNo: e.store.Bucket(b), At: store.Timestamp(at),
	})
	if err != nil {
		return false, fmt.Errorf("has at a time: %w", err)
	}
	return had, nil
}

// MembersAt goes through the users who were in a bucket at a time, as [Engine.Members] does through
// those who are. Of what happens meanwhile, only the deletion or restoration of a user changes the
// result. The time that it takes grows with the number of stays that the bucket ever had.
func (e *Engine) MembersAt(ctx context.Context, bucket registry.BucketRef, at time.Time) iter.Seq2[Member, error] {
	return pages(func(p Page) ([]Member, int64, error) { return e.MembersAtPage(ctx, bucket, at, p) })
}

// MembersAtPage returns a page of what [Engine.MembersAt] goes through.
func (e *Engine) MembersAtPage(ctx context.Context, bucket registry.BucketRef, at time.Time, p Page) ([]Member, int64, error) {
	b, err := e.lookup(bucket)
	if err != nil {
		return nil, 0, fmt.Errorf("members at a time: %w", err)
	}
	rows, err := e.store.Queries(e.reads()).MembershipsPageAt(ctx, db.MembershipsPageAtParams{
		BucketNo: e.store.Bucket(b), At: store.Timestamp(at), AfterContactID: p.After, Size: p.limit(),
	})
	if err != nil {
		return nil, 0, fmt.Errorf("members at a time: %w", err)
	}
	members := make([]Member, len(rows))
	for i, row := range rows {
		members[i] = Member{
			UserEmail: deref(row.Email), EnteredAt: row.EnteredAt.Time.UTC(), EntryCount: int(row.EntryCount),
			MembershipID: row.ID, Source: Source(row.Source), EnteredAs: store.EnteredAs(row.EnteredAs),
		}
		members[i].UserID, members[i].AnonymousID, members[i].IDs = resolve.Split(row.UserID)
		if row.LeftAt.Valid {
			members[i].LeftAt = row.LeftAt.Time.UTC()
		}
	}
	return members, p.next(len(rows), func() int64 { return rows[len(rows)-1].ContactID }), nil
}
