package engine

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Stats is what an engine has done since it was started, and how far behind it is.
type Stats struct {
	Events      int64 // taken in
	Duplicates  int64 // recognised by their key
	Refused     int64 // by the database
	Batches     int64 // in which events were written
	Transitions int64 // decided, ticks included
	Settled     int64 // users that the clock evaluated
	Candidates  int64 // buckets that the indexes found for events
	Evaluations int64 // of criteria, whatever for
	Repaired    int64 // memberships that a reconciliation found to be wrong

	// ClockLag is how long the earliest due instant has been waiting, as of the last time that the clock looked. 0 if
	// nothing was overdue.
	ClockLag time.Duration

	// Arming is the number of stays in buckets with FastExpiry that wait for the function of
	// OnExpiryTimer.
	Arming int64

	// Unarmed is the number of stays for which it was not called, because there were too many, or
	// because it or the database failed.
	Unarmed int64

	Delivered  int64 // to handlers and forwarders of this process
	Returned   int64 // to the outbox, because the target of their forwarder was away
	Failed     int64 // attempts
	DeadLetter int64 // deliveries that were given up
}

type stats struct {
	events, duplicates, refused, batches, transitions, settled atomic.Int64
	candidates, evaluations, repaired                          atomic.Int64
	clockLag, unarmed                                          atomic.Int64
}

// Stats returns the present figures. It costs next to nothing.
func (e *Engine) Stats() Stats {
	s, deliveries := &e.stats, e.outbox.Counters()
	return Stats{
		Events: s.events.Load(), Duplicates: s.duplicates.Load(), Refused: s.refused.Load(), Batches: s.batches.Load(),
		Transitions: s.transitions.Load(), Settled: s.settled.Load(), ClockLag: time.Duration(s.clockLag.Load()),
		Candidates: s.candidates.Load(), Evaluations: s.evaluations.Load(), Repaired: s.repaired.Load(),
		Arming: e.timers.Pending(), Unarmed: s.unarmed.Load(),
		Delivered: deliveries.Delivered.Load(), Returned: deliveries.Returned.Load(), Failed: deliveries.Failed.Load(), DeadLetter: deliveries.Dead.Load(),
	}
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

func (s *stats) count(it *item) {
	switch {
	case it.err != nil:
		s.refused.Add(1)
	case it.result.Duplicate:
		s.duplicates.Add(1)
	default:
		s.events.Add(1)
	}
}
