package engine

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/catalog"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/store"
)

const (
	// catalogKeep is how long the catalog keeps what does not arrive any more.
	catalogKeep = 90 * 24 * time.Hour

	// catalogTrimEvery is how often rows beyond the bound are removed.
	catalogTrimEvery = time.Minute
)

// cataloger counts what arrives and writes that to the database now and then. Nil counts nothing.
type cataloger struct {
	engine    *Engine
	collector *catalog.Collector

	mu      sync.Mutex // of what follows: one flush at a time
	pending []catalog.Row
	trimmed time.Time
	totals  map[mistyping]int64 // since the engine was started
}

func newCataloger(e *Engine) *cataloger {
	if e.config.CatalogRows < 0 {
		return nil
	}
	return &cataloger{engine: e, collector: catalog.NewCollector(e.registry, e.config.CatalogRows), totals: map[mistyping]int64{}}
}

// add counts the events of a batch that was stored.
func (c *cataloger) add(all []ingestion) {
	if c == nil {
		return
	}
	c.collector.Batch(c.engine.now())
	defer c.collector.End()
	for i := range all {
		if all[i].Missed {
			continue
		}
		for _, it := range all[i].items {
			if !it.result.Duplicate {
				c.collector.Add(&it.event)
			}
		}
	}
}

// loop returns the loop that writes what was counted every so often, and once more as the engine stops.
func (c *cataloger) loop() *service.Loop {
	every := c.engine.config.CatalogFlush
	return &service.Loop{
		Component: "catalog", Log: c.engine.log, First: every, Backoff: retry.Backoff{Min: every}, Last: c.flush,
		Turn: func(ctx context.Context) (time.Duration, error) { return every, c.flush(ctx) },
	}
}

// flush writes what was counted. What cannot be written is kept for the next time; until that is written, no more is taken from the
// collector, which is bounded.
func (c *cataloger) flush(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) == 0 {
		c.pending = c.collector.Take()
		c.total(c.pending)
	}
	if len(c.pending) == 0 {
		return nil
	}
	q := c.engine.store.Queries(c.engine.pool)
	if err := q.CatalogAdd(ctx, rowsToAdd(c.pending)); err != nil {
		return fmt.Errorf("add to the catalog: %w", err)
	}
	c.pending = nil
	if time.Since(c.trimmed) < catalogTrimEvery {
		return nil
	}
	before := store.Timestamp(c.engine.config.Now().Add(-catalogKeep))
	if err := q.CatalogTrim(ctx, db.CatalogTrimParams{Before: before, Most: int64(c.engine.config.CatalogRows)}); err != nil {
		return fmt.Errorf("trim the catalog: %w", err)
	}
	c.trimmed = time.Now()
	return nil
}

// total adds up values of another type than is declared, for metrics.
func (c *cataloger) total(rows []catalog.Row) {
	for i := range rows {
		if row := &rows[i]; row.Wrong {
			c.totals[mistyping{row.Kind, row.Event, row.Name, row.Type}] += row.Count
		}
	}
}

// mistyping is a declared field or property whose values arrive as another type.
type mistyping struct {
	kind        catalog.Kind
	event, name string
	seen        string
}

// mistyped returns how many values of another type than is declared were stored by this engine.
func (c *cataloger) mistyped() map[mistyping]int64 {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.totals)
}

func rowsToAdd(rows []catalog.Row) db.CatalogAddParams {
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
