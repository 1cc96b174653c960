package sizes

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/rollout"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Summary reads how the database and the engines on it are doing.
func (r *Reader) Summary(ctx context.Context) (bucketgen.Summary, error) {
	s := bucketgen.Summary{AsOf: r.Now.UTC(), Buckets: len(r.Registry.Buckets)}
	d := r.Store.Deployment()
	err := r.snapshot(ctx, func(tx pgx.Tx) error {
		q := r.Store.Queries(tx)
		last, err := q.DeploymentsProgress(ctx, db.DeploymentsProgressParams{Size: 1})
		if err != nil {
			return fmt.Errorf("read the last deployment: %w", err)
		}
		if len(last) > 0 {
			newest := rollout.Deployment(last[0])
			s.Deployment = &newest
			if last[0].No != d.No {
				if d, err = r.Store.Refresh(ctx, tx); err != nil {
					return err
				}
			}
		}
		waits, err := q.SummaryNow(ctx, db.SummaryNowParams{Now: store.Timestamp(r.Now), BucketNos: d.Active, Most: most})
		if err != nil {
			return fmt.Errorf("read what waits: %w", err)
		}
		s.Overdue, s.Waiting, s.Dead = waits.Overdue, waits.Waiting, waits.Dead
		s.ClockLagSeconds, s.OutboxLagSeconds = r.lag(waits.DueAt), r.lag(waits.NextAt)
		return nil
	})
	s.Agreed, s.Paused = d.Agreed, len(d.Paused)
	for b := range r.Registry.Buckets {
		if d.Frozen(table.BucketIndex(b)) {
			s.Other++
		}
	}
	s.Other -= s.Paused
	return s, err
}

// lag returns for how many seconds something has been waiting; 0 if nothing has.
func (r *Reader) lag(since pgtype.Timestamptz) float64 {
	if !since.Valid {
		return 0
	}
	return max(r.Now.Sub(since.Time), time.Duration(0)).Seconds()
}
