package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
)

// fill makes the users and stores events of the past.
func fill(ctx context.Context, e *engine.Engine, pool *pgxpool.Pool, w workload, events int) error {
	const chunk = 2000
	for begin := 0; begin < w.users; begin += chunk {
		var batch []engine.Event
		for i := begin; i < min(begin+chunk, w.users); i++ {
			batch = append(batch, w.user(i))
		}
		if _, err := e.IngestBatch(ctx, batch); err != nil {
			return err
		}
	}
	return storePast(ctx, pool, w, events)
}

// storePast stores events of the past.
func storePast(ctx context.Context, pool *pgxpool.Pool, w workload, events int) error {
	rng := rand.New(rand.NewPCG(3, 3)) //nolint:gosec // a fixed seed is the point
	now := time.Now()
	_, err := pool.CopyFrom(ctx, pgx.Identifier{"bucketgen", "events"},
		[]string{"contact_id", "event_no", "occurred_at", "received_at", "kind", "properties"},
		pgx.CopyFromSlice(events, func(int) ([]any, error) {
			at := now.Add(-time.Duration(rng.Int64N(int64(60 * 24 * time.Hour))))
			return []any{int64(1 + rng.IntN(w.users)), int32(1 + rng.IntN(eventNames)), at, at, "track", `{"amount": 12, "currency": "EUR"}`}, nil
		}))
	if err != nil {
		return fmt.Errorf("store events of the past: %w", err)
	}
	_, err = pool.Exec(ctx, "vacuum analyze")
	return err
}

// ingest makes callers ingest for a while, each a call after the other: as fast as they can, or at
// the given total rate of events per second. It returns the rate, and the time of each call,
// counted from its turn.
func ingest(ctx context.Context, e *engine.Engine, events []engine.Event, o options, pace float64) (float64, []time.Duration, error) {
	began := time.Now()
	return ingestWhile(ctx, e, events, o, pace, func() bool { return time.Since(began) < o.span })
}

// ingestWhile is ingest for as long as going says.
func ingestWhile(ctx context.Context, e *engine.Engine, events []engine.Event, o options, pace float64, going func() bool) (float64, []time.Duration, error) {
	took := make([][]time.Duration, o.callers)
	began := time.Now()
	err := together(o.callers, func(c int) error {
		for call := c; going(); call += o.callers {
			start := time.Now()
			if pace > 0 {
				start = began.Add(time.Duration(float64(call*o.batch) / pace * float64(time.Second)))
				time.Sleep(time.Until(start))
			}
			if err := send(ctx, e, events, call, o.batch); err != nil {
				return err
			}
			took[c] = append(took[c], time.Since(start))
		}
		return nil
	})
	span := time.Since(began)
	all := slices.Concat(took...)
	return float64(len(all)*o.batch) / span.Seconds(), all, err
}

// send makes a call with as many events as a batch has, which begin again after the last.
func send(ctx context.Context, e *engine.Engine, events []engine.Event, call, batch int) error {
	if batch == 1 {
		_, err := e.Ingest(ctx, events[call%len(events)])
		return err
	}
	of := make([]engine.Event, 0, batch)
	for i := range batch {
		of = append(of, events[(call*batch+i)%len(events)])
	}
	results, err := e.IngestBatch(ctx, of)
	for _, r := range results {
		err = errors.Join(err, r.Err)
	}
	return err
}

// together runs a function the given number of times at once.
func together(n int, run func(i int) error) error {
	var group sync.WaitGroup
	failed := make([]error, n)
	for i := range n {
		group.Go(func() { failed[i] = run(i) })
	}
	group.Wait()
	return errors.Join(failed...)
}
