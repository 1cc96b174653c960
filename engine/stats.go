package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/metrics"
)

// Stats is what an engine has done since it was started, and how far behind it is.
type Stats = bucketgen.Stats

// Stats returns the present figures. It costs next to nothing.
func (e *Engine) Stats() Stats {
	s, deliveries := e.stats.Stats(), e.outbox.Counters()
	s.Arming = e.timers.Pending()
	s.Delivered, s.Returned = deliveries.Delivered.Load(), deliveries.Returned.Load()
	s.Failed, s.DeadLetter = deliveries.Failed.Load(), deliveries.Dead.Load()
	return s
}

// observe registers the observable instruments of the engine with OpenTelemetry.
func (e *Engine) observe() error {
	d := metrics.Deps{
		Stats: e.Stats, Waiting: e.ingest.Waiting, Ahead: e.Clock().Ahead, Mistyped: e.catalog.Mistyped, Backlogs: e.Outbox().Backlogs,
		Now: e.config.Now,
	}
	if e.catalog != nil {
		d.Drift = func(ctx context.Context) ([]Drift, error) {
			c, err := e.Catalog(ctx)
			return c.Drift, err
		}
	}
	var err error
	e.unobserve, err = e.telemetry.Observe(d)
	return err
}

// Overdue returns how long the earliest due instant has been waiting, whichever process is to
// settle it: 0 if nothing is overdue. It asks the database, where [Stats] holds what the clock of
// this engine saw last.
func (g *Clock) Overdue(ctx context.Context) (time.Duration, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return 0, fmt.Errorf("overdue: %w", err)
	}
	next, err := e.clock.NextDue(ctx)
	if err != nil {
		return 0, fmt.Errorf("overdue: %w", err)
	}
	return max(e.Now().Sub(next), 0), nil
}
