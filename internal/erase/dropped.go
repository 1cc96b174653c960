package erase

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Dropped counts the events a day that are dropped because their user is suppressed. It is safe for
// concurrent use.
type Dropped struct {
	Pool   *pgxpool.Pool
	Schema string
	Now    func() time.Time
	Log    *slog.Logger

	events atomic.Int64 // events are those since the last flush
}

// Add counts events.
func (d *Dropped) Add(events int) { d.events.Add(int64(events)) }

// Loop returns the loop that flushes, also once more when it is stopped.
func (d *Dropped) Loop() *service.Loop {
	const every = 10 * time.Second
	return &service.Loop{
		Component: "suppression", Log: d.Log, First: every, Backoff: retry.Backoff{Min: every}, Last: d.Flush,
		Turn: func(ctx context.Context) (time.Duration, error) { return every, d.Flush(ctx) },
	}
}

// Flush writes the count to the database. One that cannot be written is kept for the next flush.
func (d *Dropped) Flush(ctx context.Context) error {
	n := d.events.Swap(0)
	if n == 0 {
		return nil
	}
	day := pgtype.Date{Time: d.Now().UTC(), Valid: true}
	if err := store.QueriesIn(d.Pool, d.Schema).SuppressedEventsAdd(ctx, db.SuppressedEventsAddParams{Day: day, Events: n}); err != nil {
		d.events.Add(n)
		return fmt.Errorf("count suppressed events: %w", err)
	}
	return nil
}
