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
// returns a runner over buckets of which only the stays matter.
func (s *Service) Retire(ctx context.Context, id string, staysOnly func([]db.BucketgenBucket) *transact.Runner) (int64, error) {
	all, err := s.queries().BucketsAll(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the buckets: %w", err)
	}
	i := slices.IndexFunc(all, func(b db.BucketgenBucket) bool { return b.ID == id })
	switch {
	case i < 0:
		return 0, bucketgen.ErrUnknownBucket
	case all[i].Fingerprint != nil:
		return 0, errors.New("it is deployed; remove its definition and deploy that first")
	}
	return s.empty(ctx, staysOnly(all[i:i+1]))
}

// empty makes all members leave the only bucket of a runner.
func (s *Service) empty(ctx context.Context, r *transact.Runner) (int64, error) {
	const page = 500
	left := int64(0)
	for after := int64(0); ; {
		members, err := r.Store.Queries(r.Pool).MembershipsPage(ctx, db.MembershipsPageParams{BucketNo: r.Store.Bucket(0), AfterContactID: after, Size: page})
		if err != nil {
			return left, fmt.Errorf("read members: %w", err)
		}
		if len(members) == 0 {
			return left, nil
		}
		tasks := make([]*transact.Task, len(members))
		for i, m := range members {
			after = m.ContactID
			tasks[i] = r.Existing(m.UserID, m.ContactID, s.Options, func(s *decide.Session, clock table.Instant) decide.Result { return s.Retire(0, clock) })
		}
		if err := r.CommitAll(ctx, s.Attempts("retire"), tasks, func(*transact.Task) { left++ }); err != nil {
			return left, err
		}
	}
}
