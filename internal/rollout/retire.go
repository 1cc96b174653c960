package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Retire makes all members leave a bucket that is not deployed, and returns how many did. staysOnly
// returns a runner over buckets of which only the stays matter. progress is called now and then; it
// may be nil.
func (s *Service) Retire(
	ctx context.Context, id string, staysOnly func([]db.BucketgenBucket) *transact.Runner, progress func(bucketgen.Retirement),
) (bucketgen.Retirement, error) {
	r := bucketgen.Retirement{BucketID: id}
	all, err := s.queries().BucketsAll(ctx)
	if err != nil {
		return r, fmt.Errorf("read the buckets: %w", err)
	}
	i := slices.IndexFunc(all, func(b db.BucketgenBucket) bool { return b.ID == id })
	switch {
	case i < 0:
		return r, bucketgen.ErrUnknownBucket
	case all[i].Fingerprint != nil:
		return r, errors.New("it is deployed; remove its definition and deploy that first")
	}
	if r.Members, err = s.queries().MembershipsCount(ctx, all[i].No); err != nil {
		return r, fmt.Errorf("count members: %w", err)
	}
	err = s.empty(ctx, staysOnly(all[i:i+1]), func(n int64) {
		if r.Left += n; progress != nil {
			progress(r)
		}
	})
	return r, err
}

// empty makes all members leave the only bucket of a runner. left is called with how many users
// left since the call before.
func (s *Service) empty(ctx context.Context, r *transact.Runner, left func(int64)) error {
	return transact.ForEach(ctx, nil, 0, func(after int64) ([]transact.User, error) {
		page := db.MembershipsPageParams{BucketNo: r.Store.Bucket(0), AfterContactID: after, Size: transact.PageSize}
		members, err := r.Store.Queries(r.Pool).MembershipsPage(ctx, page)
		if err != nil {
			return nil, fmt.Errorf("read members: %w", err)
		}
		users := make([]transact.User, len(members))
		for i, m := range members {
			users[i] = transact.User{ID: m.UserID, Contact: m.ContactID}
		}
		return users, nil
	}, func(users []transact.User) (int64, error) {
		tasks := r.Tasks(users, s.Options, func(s *decide.Session, clock table.Instant) decide.Result { return s.Retire(0, clock) })
		n := int64(0)
		err := r.CommitAll(ctx, s.Attempts("retire"), tasks, func(*transact.Task) { n++ })
		left(n)
		return transact.Last(users), err
	})
}
