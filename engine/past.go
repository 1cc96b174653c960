package engine

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry"
)

// HasAt reports whether a user was in a bucket at a time: what [Engine.Has] would have said then,
// had the clock's work been done. A stay counts from the instant at which the user entered and up
// to the one at which they left, which does not belong to it. A user who is deleted now was in no
// bucket since the deletion. A deletion that was undone leaves no trace.
func (e *Engine) HasAt(ctx context.Context, bucket registry.BucketRef, userID string, at time.Time) (bool, error) {
	b, err := e.lookup(bucket)
	if err != nil {
		return false, fmt.Errorf("has at a time: %w", err)
	}
	had, err := e.store.Queries(e.pool).MembershipsHadAt(ctx, db.MembershipsHadAtParams{
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
	rows, err := e.store.Queries(e.pool).MembershipsPageAt(ctx, db.MembershipsPageAtParams{
		BucketNo: e.store.Bucket(b), At: store.Timestamp(at), AfterContactID: p.After, Size: p.limit(),
	})
	if err != nil {
		return nil, 0, fmt.Errorf("members at a time: %w", err)
	}
	members := make([]Member, len(rows))
	for i, row := range rows {
		members[i] = Member{
			UserID: row.UserID, UserEmail: deref(row.Email), EnteredAt: row.EnteredAt.Time.UTC(), EntryCount: int(row.EntryCount),
			MembershipID: row.ID, Source: Source(row.Source),
		}
		if row.LeftAt.Valid {
			members[i].LeftAt = row.LeftAt.Time.UTC()
		}
	}
	return members, p.next(len(rows), func() int64 { return rows[len(rows)-1].ContactID }), nil
}
