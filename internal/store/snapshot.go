package store

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// beginSnapshot begins a transaction that sees one moment. Its statements read few rows of large
// tables, and the planner cannot know how few. It would compile them and start parallel workers,
// which takes longer than the statements do. SET takes no parameters, and goes out together with
// BEGIN, so it costs no round trip.
const beginSnapshot = "begin isolation level repeatable read, read only; set local jit = off; set local max_parallel_workers_per_gather = 0"

// Snapshot calls f with a transaction that reads one moment.
func Snapshot(ctx context.Context, pool *pgxpool.Pool, f func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{BeginQuery: beginSnapshot}, f)
}
