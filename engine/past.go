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
	return pages(func(after int64) ([]Member, error) { return e.MembersAtPage(ctx, bucket, at, after, pageSize) })
}

// MembersAtPage returns at most size of the users who were in a bucket at a time, those that follow the one with the
// cursor after; 0 begins.
func (e *Engine) MembersAtPage(ctx context.Context, bucket registry.BucketRef, at time.Time, after int64, size int) ([]Member, error) {
	b, err := e.lookup(bucket)
	if err != nil {
		return nil, fmt.Errorf("members at a time: %w", err)
	}
	rows, err := e.store.Queries(e.pool).MembershipsPageAt(ctx, db.MembershipsPageAtParams{
		BucketNo: e.store.Bucket(b), At: store.Timestamp(at), AfterContactID: after, Size: int32(min(max(size, 0), 1<<20)),
	})
	if err != nil {
		return nil, fmt.Errorf("members at a time: %w", err)
	}
	members := make([]Member, len(rows))
	for i, row := range rows {
		members[i] = Member{
			UserID: row.UserID, UserEmail: deref(row.Email), EnteredAt: row.EnteredAt.Time.UTC(), EntryCount: int(row.Epoch),
			MembershipID: row.ID, Source: Source(row.Source), Cursor: row.ContactID,
		}
		if row.LeftAt.Valid {
			members[i].LeftAt = row.LeftAt.Time.UTC()
		}
	}
	return members, nil
}
