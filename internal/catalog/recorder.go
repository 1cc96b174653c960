package catalog

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry/table"
)

const (
	// keep is how long the catalog keeps what does not arrive any more.
	keep = 90 * 24 * time.Hour

	// KeptHours is for how long the catalog keeps by the hour what arrived.
	KeptHours = 24 * time.Hour

	// trimEvery is how often rows beyond the bound are removed.
	trimEvery = time.Minute
)

// Deps is what a recorder needs.
type Deps struct {
	Pool     *pgxpool.Pool
	Schema   string // Schema has the tables
	Registry *table.Registry

	// Rows bounds what is kept of names that no definition declares. Negative: nothing is recorded.
	Rows int

	// Every is the time between two flushes.
	Every time.Duration

	// Now is the clock by which old rows are removed.
	Now func() time.Time

	Log *slog.Logger
}

// Recorder counts what arrives and flushes the counts to the database now and then. It is safe for
// concurrent use. A nil recorder records nothing.
type Recorder struct {
	deps      Deps
	collector *Collector

	mu      sync.Mutex // mu lets one flush at a time use the fields below
	pending []Row
	trimmed time.Time
	totals  map[Mistyping]int64 // totals are since the start of the process
}

// NewRecorder returns a recorder, or nil if nothing is recorded.
func NewRecorder(d Deps) *Recorder {
	if d.Rows < 0 {
		return nil
	}
	return &Recorder{deps: d, collector: NewCollector(d.Registry, d.Rows), totals: map[Mistyping]int64{}}
}

// Add counts events that were stored at an instant.
func (r *Recorder) Add(at table.Instant, events iter.Seq[*decide.Event]) {
	if r == nil {
		return
	}
	r.collector.Batch(at)
	defer r.collector.End()
	for e := range events {
		r.collector.Add(e)
	}
}

// Loops returns the loop that flushes, also once more when it is stopped. A nil recorder has none.
func (r *Recorder) Loops() []*service.Loop {
	if r == nil {
		return nil
	}
	every := r.deps.Every
	return []*service.Loop{{
		Component: "catalog", Log: r.deps.Log, First: every, Backoff: retry.Backoff{Min: every}, Last: r.Flush,
		Turn: func(ctx context.Context) (time.Duration, error) { return every, r.Flush(ctx) },
	}}
}

// Flush writes the counts to the database. Counts that cannot be written are kept for the next
// flush. Until they are written, no more are taken from the collector, which is bounded.
func (r *Recorder) Flush(ctx context.Context) error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pending) == 0 {
		r.pending = r.collector.Take()
		r.total(r.pending)
	}
	if len(r.pending) == 0 {
		return nil
	}
	q := store.QueriesIn(r.deps.Pool, r.deps.Schema)
	if err := q.CatalogAdd(ctx, rowsToAdd(r.pending)); err != nil {
		return fmt.Errorf("add to the catalog: %w", err)
	}
	r.pending = nil
	if time.Since(r.trimmed) < trimEvery {
		return nil
	}
	now := r.deps.Now()
	err := q.CatalogTrim(ctx, db.CatalogTrimParams{
		Before: store.Timestamp(now.Add(-keep)), HoursBefore: store.Timestamp(now.Add(-KeptHours - time.Hour)), Most: int64(r.deps.Rows),
	})
	if err != nil {
		return fmt.Errorf("trim the catalog: %w", err)
	}
	r.trimmed = time.Now()
	return nil
}

// total adds up values of another type than is declared, for metrics.
func (r *Recorder) total(rows []Row) {
	for i := range rows {
		if row := &rows[i]; row.Wrong {
			r.totals[Mistyping{row.Kind, row.Event, row.Name, row.Type}] += row.Count
		}
	}
}

// Mistyping is a declared field or property whose values arrive as another type.
type Mistyping struct {
	Kind  Kind
	Event string
	Name  string
	Seen  string // Seen is the type that arrives
}

// Mistyped returns how many values of another type than is declared were stored by this process.
func (r *Recorder) Mistyped() map[Mistyping]int64 {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.totals)
}

func rowsToAdd(rows []Row) db.CatalogAddParams {
	var p db.CatalogAddParams
	for i := range rows {
		row := &rows[i]
		p.Kinds, p.Events, p.Names = append(p.Kinds, string(row.Kind)), append(p.Events, row.Event), append(p.Names, row.Name)
		p.Types, p.Declared = append(p.Types, row.Type), append(p.Declared, row.Declared)
		p.Counts, p.Sampled = append(p.Counts, row.Count), append(p.Sampled, row.Sampled)
		p.FirstSeen, p.LastSeen = append(p.FirstSeen, store.Timestamp(row.First)), append(p.LastSeen, store.Timestamp(row.Last))
	}
	return p
}
