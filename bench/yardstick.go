package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// yardstick is a bare insert, on a number of connections, with a number of rows at once, and
// nothing else.
type yardstick struct{ connections, rows int }

var allYardsticks = []yardstick{{1, 500}, {1, 2000}, {2, 500}, {2, 2000}, {4, 500}, {4, 2000}}

func (y yardstick) String() string {
	return fmt.Sprintf("%d connections, %d rows a statement", y.connections, y.rows)
}

const bareInsert = `insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind, properties)
	select * from unnest($1::bigint[], $2::integer[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::jsonb[])`

// run inserts for a while and returns the rows per second.
func (y yardstick) run(ctx context.Context, pool *pgxpool.Pool, users int, span time.Duration) (float64, error) {
	var rows atomic.Int64
	began := time.Now()
	err := together(y.connections, func(c int) error {
		rng := rand.New(rand.NewPCG(4, uint64(c))) //nolint:gosec // a fixed seed is the point
		for time.Since(began) < span {
			if _, err := pool.Exec(ctx, bareInsert, y.arguments(rng, users)...); err != nil {
				return err
			}
			rows.Add(int64(y.rows))
		}
		return nil
	})
	return float64(rows.Load()) / time.Since(began).Seconds(), err
}

// runYardsticks runs each of them and adds its rate to its own.
func runYardsticks(ctx context.Context, pool *pgxpool.Pool, o options, rates map[string][]float64) error {
	for _, y := range allYardsticks {
		rate, err := y.run(ctx, pool, o.users, o.span/4)
		if err != nil {
			return err
		}
		rates[y.String()] = append(rates[y.String()], rate)
	}
	return nil
}

// bestOf prints the median of each and returns the best of those, and whose it is.
func bestOf(rates map[string][]float64) (best float64, name string) {
	for _, y := range allYardsticks {
		m := median(rates[y.String()])
		fmt.Printf("yardstick, %s: %.0f rows/s\n", y, m)
		if m > best {
			best, name = m, y.String()
		}
	}
	return best, name
}

func (y yardstick) arguments(rng *rand.Rand, users int) []any {
	contacts, events := make([]int64, y.rows), make([]int32, y.rows)
	times, kinds, properties := make([]pgtype.Timestamptz, y.rows), make([]string, y.rows), make([][]byte, y.rows)
	now := time.Now()
	for i := range contacts {
		contacts[i], events[i] = int64(1+rng.IntN(users)), int32(1+rng.IntN(eventNames))
		times[i], kinds[i] = pgtype.Timestamptz{Time: now, Valid: true}, "track"
		properties[i] = []byte(`{"amount": 812, "currency": "EUR", "sku": "value-123", "quantity": 4, "first": true, "page": "/checkout", "referrer": "https://example.com/a/b/c", "session": 1234567890123456789}`)
	}
	return []any{contacts, events, times, times, kinds, properties}
}
