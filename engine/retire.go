package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Retire lets everybody leave a bucket that is not deployed any more, for the reason [ReasonRetired], and returns how many
// did. Until then its members stay as they are: whoever removes a definition by mistake finds them again when it is back.
// It may be called again if it did not come to its end. The engine need not have been started.
func (e *Engine) Retire(ctx context.Context, bucketID string) (int64, error) {
	n, err := e.retire(ctx, bucketID)
	if err != nil {
		return n, fmt.Errorf("retire bucket %q: %w", bucketID, err)
	}
	return n, nil
}

func (e *Engine) retire(ctx context.Context, id string) (int64, error) {
	if err := e.open(ctx); err != nil {
		return 0, err
	}
	all, err := e.store.Queries(e.pool).BucketsAll(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the buckets: %w", err)
	}
	i := slices.IndexFunc(all, func(b db.BucketgenBucket) bool { return b.ID == id })
	switch {
	case i < 0:
		return 0, ErrUnknownBucket
	case all[i].Fingerprint != nil:
		return 0, errors.New("it is deployed; remove its definition and deploy that first")
	}
	return e.empty(ctx, e.staysOnly(all[i:i+1]))
}

// empty makes all members leave the only bucket of a runner.
func (e *Engine) empty(ctx context.Context, r *transact.Runner) (int64, error) {
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
			tasks[i] = e.present(m.UserID, m.ContactID, func(s *decide.Session, clock table.Instant) decide.Result { return s.Retire(0, clock) })
		}
		if err := r.CommitAll(ctx, &e.attempts("retire").Attempts, tasks, func(*transact.Task) { left++ }); err != nil {
			return left, err
		}
	}
}
