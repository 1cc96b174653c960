package inspect

import (
	"context"
	"fmt"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Members returns a page of the current members of a bucket.
func (r *Reader) Members(ctx context.Context, b table.BucketIndex, q bucketgen.MemberQuery) (bucketgen.MemberPage, error) {
	size := limit(q.Size)
	rows, err := r.memberRows(ctx, r.Store.Bucket(b), &q, int32(size+1))
	if err != nil {
		return bucketgen.MemberPage{}, fmt.Errorf("read members: %w", err)
	}
	rows, more := cut(rows, size)
	page := bucketgen.MemberPage{Members: []bucketgen.Member{}, AsOf: r.Now.UTC()}
	for _, row := range rows {
		m := bucketgen.Member{
			UserEmail: deref(row.Email), EnteredAt: row.EnteredAt.Time.UTC(), EntryCount: int(row.EntryCount),
			MembershipID: row.ID, Source: bucketgen.Source(row.Source), EnteredAs: store.EnteredAs(row.EnteredAs),
		}
		m.UserID, m.AnonymousID, m.IDs = resolve.Split(row.UserID)
		if q.Text == "" || wanted(&q, &m) {
			page.Members = append(page.Members, m)
		}
	}
	if more {
		last := rows[size-1]
		page.Next = &bucketgen.TimeKey{At: last.EnteredAt.Time.UTC(), ID: last.ContactID}
	}
	return page, nil
}

func (r *Reader) memberRows(ctx context.Context, bucketNo int32, q *bucketgen.MemberQuery, size int32) ([]db.MembershipsSomeRow, error) {
	var all []db.MembershipsSomeRow
	switch {
	case q.Text != "": // few have it
		rows, err := r.queries().MembershipsFind(ctx, db.MembershipsFindParams{Text: q.Text, BucketNo: bucketNo, Size: size - 1})
		for _, row := range rows {
			all = append(all, db.MembershipsSomeRow(row))
		}
		return all, err
	case q.Newest:
		at, id := latest(q.EnteredBefore), int64(0)
		if q.After != nil {
			at, id = store.Timestamp(q.After.At), q.After.ID
		}
		rows, err := r.queries().MembershipsNewest(ctx, db.MembershipsNewestParams{
			BucketNo: bucketNo, FromAt: earliest(q.EnteredFrom), BeforeAt: at, BeforeContactID: id, Source: string(q.Source), Size: size,
		})
		for _, row := range rows {
			all = append(all, db.MembershipsSomeRow(row))
		}
		return all, err
	}
	after := int64(0)
	if q.After != nil {
		after = q.After.ID
	}
	if q.EnteredFrom.IsZero() && q.EnteredBefore.IsZero() {
		rows, err := r.queries().MembershipsPage(ctx, db.MembershipsPageParams{
			BucketNo: bucketNo, AfterContactID: after, Source: string(q.Source), Size: size,
		})
		for _, row := range rows {
			all = append(all, db.MembershipsSomeRow(row))
		}
		return all, err
	}
	return r.queries().MembershipsSome(ctx, db.MembershipsSomeParams{
		BucketNo: bucketNo, AfterContactID: after, FromAt: earliest(q.EnteredFrom), ToAt: latest(q.EnteredBefore), Source: string(q.Source), Size: size,
	})
}

// wanted reports whether a member who was found passes the filters of a query.
func wanted(q *bucketgen.MemberQuery, m *bucketgen.Member) bool {
	return (q.Source == "" || q.Source == m.Source) && !m.EnteredAt.Before(q.EnteredFrom) &&
		(q.EnteredBefore.IsZero() || m.EnteredAt.Before(q.EnteredBefore))
}
