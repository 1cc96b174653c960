package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Letters reads and changes the deliveries of a database for operators: what was given up, and what
// waits.
type Letters struct {
	Queries *db.Queries
	Now     time.Time
}

// Dead returns up to size deliveries that were given up, of those that follow one in the order of
// the filter.
func (l Letters) Dead(ctx context.Context, f bucketgen.DeadLetterFilter, after int64, size int32) ([]db.DeliveriesDeadRow, error) {
	if !f.NewestFirst {
		return l.Queries.DeliveriesDead(ctx, db.DeliveriesDeadParams{
			AfterID: after, Subscriptions: f.Subscriptions, BucketID: f.BucketID, UserID: f.UserID, Error: f.Error, Size: size,
		})
	}
	rows, err := l.Queries.DeliveriesDeadNewest(ctx, db.DeliveriesDeadNewestParams{
		BeforeID: after, Subscriptions: f.Subscriptions, BucketID: f.BucketID, UserID: f.UserID, Error: f.Error, Size: size,
	})
	all := make([]db.DeliveriesDeadRow, len(rows))
	for i, row := range rows {
		all[i] = db.DeliveriesDeadRow(row)
	}
	return all, err
}

// Each calls do with the ids of what was given up and a filter takes, some at a time.
func (l Letters) Each(ctx context.Context, f bucketgen.DeadLetterFilter, do func(ids []int64) error) error {
	const most = 1000
	for after := int64(0); ; {
		ids, err := l.Queries.DeliveriesDeadIDs(ctx, db.DeliveriesDeadIDsParams{
			AfterID: after, UptoID: f.UpTo, Subscriptions: f.Subscriptions, BucketID: f.BucketID, UserID: f.UserID, Error: f.Error, Size: most,
		})
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return nil
		}
		if err := do(ids); err != nil {
			return err
		}
		after = ids[len(ids)-1]
	}
}

// Replay releases what was given up, or deliveries of some ids, marked as replayed.
func (l Letters) Replay(ctx context.Context, ids []int64) (int64, error) {
	return l.Queries.DeliveriesReplay(ctx, db.DeliveriesReplayParams{Ids: ids, Now: store.Timestamp(l.Now.Truncate(time.Microsecond))})
}

// Forget deletes dead letters that are older than an age, some at a time. It returns how many, and
// whether there may be more.
func (l Letters) Forget(ctx context.Context, age time.Duration) (n int64, more bool, err error) {
	const most = 10_000
	n, err = l.Queries.DeliveriesForget(ctx, db.DeliveriesForgetParams{Before: store.Timestamp(l.Now.Add(-age)), Most: most})
	if err != nil {
		return 0, false, fmt.Errorf("prune the dead letters: %w", err)
	}
	return n, n == most, nil
}

// Waiting returns up to size deliveries of a subscription that are still to be made, of those after
// one.
func (l Letters) Waiting(ctx context.Context, subscription string, after int64, size int32) ([]bucketgen.WaitingDelivery, error) {
	_, err := l.Queries.SubscriptionsNumber(ctx, subscription)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, bucketgen.ErrUnknownSubscription
	case err != nil:
		return nil, fmt.Errorf("read the subscription: %w", err)
	}
	rows, err := l.Queries.DeliveriesOf(ctx, db.DeliveriesOfParams{Subscription: subscription, AfterID: after, Size: size})
	if err != nil {
		return nil, err
	}
	all := make([]bucketgen.WaitingDelivery, len(rows))
	for i, row := range rows {
		all[i] = bucketgen.WaitingDelivery{
			ID: row.ID, Transition: store.Recorded(row.BucketgenTransition, row.BucketID, row.BucketName, row.UserID, row.Email),
			Notice: store.Noticed(&row.BucketgenTransition), Attempts: int(row.Attempts), NextAt: row.NextAt.Time.UTC(), Behind: row.Behind, Paused: row.Paused, Replayed: row.Replay,
			UnderWay: row.LeasedUntil.Valid && row.LeasedUntil.Time.After(l.Now),
		}
		if row.Error != nil {
			all[i].Error = *row.Error
		}
	}
	return all, nil
}
