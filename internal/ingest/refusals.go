package ingest

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/bucketgen/bucketgen/internal/resolve"
)

// refusals logs ids that lead to other contacts than an event asks for. Every sender can cause that
// with each event, and learns of it by a warning, so the log has one line a minute.
type refusals struct {
	unlogged  atomic.Int64
	sometimes *rate.Sometimes
}

func newRefusals() *refusals {
	return &refusals{sometimes: &rate.Sometimes{First: 1, Interval: time.Minute}}
}

func (r *refusals) log(ctx context.Context, log *slog.Logger, step resolve.Change, err error) {
	r.unlogged.Add(1)
	r.sometimes.Do(func() {
		log.WarnContext(ctx, "an id stays where it is", "component", "ingest", "step", string(step.Op), "error", err, "ids", r.unlogged.Swap(0))
	})
}
