package engine

import (
	"context"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/metrics"
)

// UnreadyError says why an engine does not take events at the moment.
type UnreadyError = bucketgen.UnreadyError

// Ready returns nil if the engine can take events now, and an [*UnreadyError] otherwise: it does
// not run, its queue is full, ingest has been failing for half a second or more, or the database
// does not answer, is read-only, or does not let the role write. It writes nothing. The database is
// asked at most four times a second, whatever the number of calls, and has a second to answer. It
// is for load balancers, and may be called by several goroutines.
func (e *Engine) Ready(ctx context.Context) error {
	if err := e.ready(); err != nil {
		return &UnreadyError{Reason: err.Error(), Err: err}
	}
	if !e.HasRoom(1) {
		return &UnreadyError{Reason: "too many events wait to be written"}
	}
	return e.health.Ready(ctx)
}

// Background is what an engine does in the background: its loops, such as the clock and the
// heartbeat.
type Background struct {
	Loops   int
	Failing []FailingLoop // Failing are those whose last turn failed, which are retried
}

// FailingLoop is work in the background that fails at the moment.
type FailingLoop struct {
	Component string    // Component is its name in the log.
	Since     time.Time // Since is when it failed first after it succeeded, by the system clock.
	Attempts  int       // Attempts is how often it has failed since.
	Reason    string    // Reason says why in a few words; the log has the whole error.
}

// Background returns what works in the background, and what of it fails. It costs next to nothing.
func (g *Inspect) Background() Background {
	e := (*Engine)(g)
	failing, loops := e.services.Failing()
	b := Background{Loops: loops}
	for _, f := range failing {
		b.Failing = append(b.Failing, FailingLoop{f.Component, f.Since, f.Attempts, blame.Reason(f.Err)})
	}
	return b
}

// Stats is what an engine has done since it was started, and how far behind it is.
type Stats = bucketgen.Stats

// Stats returns the present figures. It costs next to nothing.
func (e *Engine) Stats() Stats {
	s, deliveries := e.stats.Stats(), e.outbox.Counters()
	s.TimersWaiting = e.timers.Pending()
	s.Delivered, s.Returned = deliveries.Delivered.Load(), deliveries.Returned.Load()
	s.Failed, s.DeadLetter = deliveries.Failed.Load(), deliveries.Dead.Load()
	s.DeadForgotten = deliveries.Forgotten.Load()
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
