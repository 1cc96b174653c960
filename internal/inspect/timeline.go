package inspect

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// maxID is greater than every id.
const maxID = math.MaxInt64

// allOf asks for all transitions of a user.
func allOf(user string, size int) db.TransitionsOfUserParams {
	none := time.Time{}
	return db.TransitionsOfUserParams{
		UserID: user, BeforeID: maxID, FromAt: earliest(none), ToAt: latest(none), BeforeAt: latest(none), BeforeAtID: maxID, Size: int32(size),
	}
}

// Timeline returns a page of the transitions of a user, and the After of the next one; 0 if there
// is none. bucketNo is 0 for all buckets.
func (r *Reader) Timeline(ctx context.Context, user string, bucketNo int32, q bucketgen.TimelineQuery) ([]bucketgen.Transition, int64, error) {
	size := limit(q.Size)
	p := allOf(user, size+1)
	p.BucketNo, p.FromAt, p.ToAt, p.Newest = bucketNo, earliest(q.From), latest(q.To), q.Newest
	switch {
	case q.After == 0:
	case q.Newest:
		p.BeforeID = q.After
	default:
		p.AfterID = q.After
	}
	rows, err := r.queries().TransitionsOfUser(ctx, p)
	if err == nil && len(rows) == 0 {
		err = r.mustKnow(ctx, user)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read the log: %w", err)
	}
	rows, more := cut(rows, size)
	all := make([]bucketgen.Transition, len(rows))
	for i := range rows {
		all[i] = recorded(&rows[i])
	}
	if !more {
		return all, 0, nil
	}
	return all, rows[size-1].BucketgenTransition.ID, nil
}

func recorded(row *db.TransitionsOfUserRow) bucketgen.Transition {
	return store.Recorded(row.BucketgenTransition, row.BucketID, row.BucketName, row.UserID, row.Email)
}
