package metrics

import (
	"sync/atomic"
	"time"

	"github.com/bucketgen/bucketgen"
)

// Counters counts what an engine does. The zero value has counted nothing. It is safe for
// concurrent use.
type Counters struct {
	Events, Duplicates, Refused, Batches, Transitions, Settled atomic.Int64

	Candidates, Evaluations, Repaired, TimersDropped atomic.Int64

	// ClockLag is how long the earliest due instant has been waiting, a time.Duration.
	ClockLag atomic.Int64
}

// Stats returns the present figures, without those of timers and deliveries, which other parts
// count.
func (c *Counters) Stats() bucketgen.Stats {
	return bucketgen.Stats{
		Events: c.Events.Load(), Duplicates: c.Duplicates.Load(), Refused: c.Refused.Load(), Batches: c.Batches.Load(),
		Transitions: c.Transitions.Load(), Settled: c.Settled.Load(), ClockLag: time.Duration(c.ClockLag.Load()),
		Candidates: c.Candidates.Load(), Evaluations: c.Evaluations.Load(), Repaired: c.Repaired.Load(), TimersDropped: c.TimersDropped.Load(),
	}
}
