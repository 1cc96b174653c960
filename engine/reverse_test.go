package engine_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// stretches counts the rows that are read of what happened around late events.
type stretches struct{ rows atomic.Int64 }

func (s *stretches) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

func (s *stretches) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (s *stretches) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (s *stretches) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	if strings.Contains(data.SQL, "name: AdvancesAround") {
		s.rows.Add(data.CommandTag.RowsAffected())
	}
}

func (s *stretches) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// TestReverseOrder takes in the events of one user from the last to the first. What lies around the
// events of a batch is read once for all of them, not once for each.
func TestReverseOrder(t *testing.T) {
	t.Parallel()
	count := &stretches{}
	pool := traced(t, count)
	r := registrytest.Build(t, bucket.Define(bucket.Spec{ID: "answered", Criteria: visit.ThenWithin(bucket.Hour, purchase).InTheLast(bucket.Week)}))
	c := newClock(epoch)
	e := startEngine(t, pool, r, engine.Config{Now: c.Now, VirtualTime: true, NoClock: true, NoDelivery: true, Flushers: 1, DeployPoll: time.Hour}, nil)
	const batches, size = 4, 250
	for b := range batches {
		events := make([]engine.Event, size)
		for i := range events {
			k := b*size + i
			events[i] = engine.Event{UserID: "ada", Name: []string{"visit", "purchase"}[k%2], OccurredAt: epoch.Add(-time.Duration(k) * time.Second)}
		}
		ingestAll(t, e, events)
	}
	if n := count.rows.Load(); n > batches*batches*size*2 {
		t.Errorf("%d rows were read around %d late events", n, batches*size)
	}
}

// BenchmarkReverseOrder takes in 20,000 events of one user in order, and those of another from the
// last to the first. The ratio is how much longer the latter takes.
func BenchmarkReverseOrder(b *testing.B) {
	const n, size = 20_000, 500
	took := func(reverse bool) time.Duration {
		w := newWorld(b, bucket.Define(bucket.Spec{ID: "answered", Criteria: visit.ThenWithin(bucket.Minute, purchase).InTheLast(bucket.Week)}))
		w.clock.Advance(bucket.Day)
		began := time.Now()
		for from := 0; from < n; from += size {
			events := make([]engine.Event, size)
			for i := range events {
				k := from + i
				if reverse {
					k = n - k
				}
				events[i] = engine.Event{UserID: "ada", Name: []string{"visit", "purchase"}[k%2], OccurredAt: epoch.Add(time.Duration(k) * time.Second)}
			}
			if _, err := w.IngestBatch(b.Context(), events); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(began)
	}
	for range b.N {
		ordered, reversed := took(false), took(true)
		b.ReportMetric(n/ordered.Seconds(), "in-order/s")
		b.ReportMetric(n/reversed.Seconds(), "reverse/s")
		b.ReportMetric(reversed.Seconds()/ordered.Seconds(), "ratio")
	}
}
