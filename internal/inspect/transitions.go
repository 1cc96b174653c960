package inspect

import (
	"context"
	"fmt"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Transitions returns a page of what happened to a bucket.
func (r *Reader) Transitions(ctx context.Context, b table.BucketIndex, q bucketgen.TransitionQuery) (bucketgen.TransitionPage, error) {
	size := limit(q.Size)
	rows, err := r.transitionRows(ctx, r.Store.Bucket(b), &q, int32(size+1))
	if err != nil {
		return bucketgen.TransitionPage{}, fmt.Errorf("read the log: %w", err)
	}
	rows, more := cut(rows, size)
	page := bucketgen.TransitionPage{Transitions: make([]bucketgen.Transition, len(rows))}
	bucket := &r.Registry.Buckets[b]
	for i, row := range rows {
		page.Transitions[i] = store.Recorded(row.BucketgenTransition, bucket.ID, bucket.Name, row.UserID, row.Email)
	}
	if more {
		last := rows[size-1].BucketgenTransition
		page.Next = &bucketgen.TimeKey{At: last.At.Time.UTC(), ID: last.ID}
	}
	return page, nil
}

func (r *Reader) transitionRows(ctx context.Context, bucketNo int32, q *bucketgen.TransitionQuery, size int32) ([]db.TransitionsForwardRow, error) {
	at, id := latest(q.To), int64(0)
	if q.Oldest {
		at = earliest(q.From)
	}
	if q.After != nil {
		at, id = store.Timestamp(q.After.At), q.After.ID
	}
	if q.Oldest {
		return r.queries().TransitionsForward(ctx, db.TransitionsForwardParams{
			BucketNo: bucketNo, ToAt: latest(q.To), AfterAt: at, AfterID: id, Kind: string(q.Kind), Source: string(q.Source), Reason: string(q.Reason), Size: size,
		})
	}
	rows, err := r.queries().TransitionsBackward(ctx, db.TransitionsBackwardParams{
		BucketNo: bucketNo, FromAt: earliest(q.From), BeforeAt: at, BeforeID: id, Kind: string(q.Kind), Source: string(q.Source), Reason: string(q.Reason), Size: size,
	})
	all := make([]db.TransitionsForwardRow, len(rows))
	for i := range rows {
		all[i] = db.TransitionsForwardRow(rows[i])
	}
	return all, err
}
