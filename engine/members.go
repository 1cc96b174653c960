package engine

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Has reports whether a user is in a bucket. Users who are unknown or deleted are in none.
//
// What the clock does is true here once a worker has done it, milliseconds after it was due.
func (e *Engine) Has(ctx context.Context, bucket registry.BucketRef, userID string) (bool, error) {
	b, err := e.lookup(bucket)
	if err != nil {
		return false, fmt.Errorf("has: %w", err)
	}
	has, err := e.store.Queries(e.pool).MembershipsHas(ctx, db.MembershipsHasParams{UserID: userID, BucketNo: e.store.Bucket(b)})
	if err != nil {
		return false, fmt.Errorf("has: %w", err)
	}
	return has, nil
}

// UserBuckets are the buckets that a user is in.
type UserBuckets struct {
	// UserID is the name by which the user goes: another than the one that was asked for if they
	// were merged, that one if they are unknown.
	UserID string

	// Buckets are in the order of ids. There are none if the user is unknown or deleted.
	Buckets []registry.Ref
}

// BucketsOf returns the buckets that each of some users is in, by one query. Buckets that this
// engine's registry does not have are left out.
func (e *Engine) BucketsOf(ctx context.Context, userIDs ...string) ([]UserBuckets, error) {
	if err := e.ready(); err != nil {
		return nil, fmt.Errorf("buckets: %w", err)
	}
	rows, err := e.store.Queries(e.pool).MembershipsOfEach(ctx, userIDs)
	if err != nil {
		return nil, fmt.Errorf("buckets: %w", err)
	}
	goes, of := map[string]string{}, map[string][]table.BucketIndex{}
	for _, row := range rows {
		goes[row.Name] = row.UserID
		if b, known := e.store.Index(row.BucketNo); known { // 0 is no bucket
			of[row.Name] = append(of[row.Name], b)
		}
	}
	all := make([]UserBuckets, len(userIDs))
	for i, user := range userIDs {
		slices.Sort(of[user])
		of[user] = slices.Compact(of[user]) // who was asked for twice came twice
		all[i].UserID = cmp.Or(goes[user], user)
		for _, b := range of[user] {
			all[i].Buckets = append(all[i].Buckets, registry.NewRef(e.registry.Buckets[b].ID, b))
		}
	}
	return all, nil
}

// Count returns how many users are in a bucket. It counts them, which takes time in proportion.
func (e *Engine) Count(ctx context.Context, bucket registry.BucketRef) (int64, error) {
	b, err := e.lookup(bucket)
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	n, err := e.store.Queries(e.reads()).MembershipsCount(ctx, e.store.Bucket(b))
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return n, nil
}

// Members goes through the users in a bucket, by pages, in the order in which the engine got to
// know them. It holds no transaction: a user who joins or leaves meanwhile may be among them or
// not, every other is exactly once. After an error there are no more.
func (e *Engine) Members(ctx context.Context, bucket registry.BucketRef) iter.Seq2[Member, error] {
	return pages(func(p Page) ([]Member, int64, error) { return e.MembersPage(ctx, bucket, p) })
}

// MembersPage returns a page of what [Engine.Members] goes through.
func (e *Engine) MembersPage(ctx context.Context, bucket registry.BucketRef, p Page) ([]Member, int64, error) {
	b, err := e.lookup(bucket)
	if err != nil {
		return nil, 0, fmt.Errorf("members: %w", err)
	}
	rows, err := e.store.Queries(e.reads()).MembershipsPage(ctx, db.MembershipsPageParams{
		BucketNo: e.store.Bucket(b), AfterContactID: p.After, Size: p.limit(),
	})
	if err != nil {
		return nil, 0, fmt.Errorf("members: %w", err)
	}
	members := make([]Member, len(rows))
	for i, row := range rows {
		members[i] = Member{
			UserEmail: deref(row.Email), EnteredAt: row.EnteredAt.Time.UTC(), EntryCount: int(row.EntryCount),
			MembershipID: row.ID, Source: Source(row.Source), EnteredAs: store.EnteredAs(row.EnteredAs),
		}
		members[i].UserID, members[i].AnonymousID, members[i].IDs = resolve.Split(row.UserID)
	}
	return members, p.next(len(rows), func() int64 { return rows[len(rows)-1].ContactID }), nil
}

func (e *Engine) lookup(bucket registry.BucketRef) (table.BucketIndex, error) {
	if err := e.ready(); err != nil {
		return 0, err
	}
	return e.bucket(bucket)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// pageSize is how many items a page has at most.
const pageSize = 1000

// Page says which part of a list to read. A call that takes one returns the items, and the After of
// the next page: 0 if the list has ended. A page may have fewer items than asked for, or none,
// although others follow.
type Page struct {
	// After is what the call for the page before returned. Defaults to 0, which begins.
	After int64

	// Size is how many items to return at most. Defaults to 1000, which is also the greatest.
	Size int
}

// limit returns how many rows to read.
func (p Page) limit() int32 {
	if p.Size <= 0 {
		return pageSize
	}
	return int32(min(p.Size, pageSize))
}

// next returns the After of the page that follows rows, of which the last has an id.
func (p Page) next(rows int, last func() int64) int64 {
	if rows < int(p.limit()) {
		return 0
	}
	return last()
}

// pages goes through the items of all pages of a list.
func pages[T any](read func(Page) ([]T, int64, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for p := (Page{}); ; {
			items, next, err := read(p)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == 0 {
				return
			}
			p.After = next
		}
	}
}
