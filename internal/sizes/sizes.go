// Package sizes reads how many members buckets have, now and over time, and what they are doing. It
// counts no members: package rollup keeps sizes, and adds up what happens hour by hour.
package sizes

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry/table"
)

const (
	defaultSize = 100
	maxSize     = 1000
	trendDays   = 7
	most        = 10_000 // most is how many rows a count reads
)

// Reader reads sizes. It is safe for concurrent use.
type Reader struct {
	Pool     *pgxpool.Pool
	Store    *store.Store
	Registry *table.Registry
	Now      time.Time // Now is the time of all that it reads
}

// snapshot calls f with a transaction that sees one moment.
func (r *Reader) snapshot(ctx context.Context, f func(pgx.Tx) error) error {
	return store.Snapshot(ctx, r.Pool, f)
}
