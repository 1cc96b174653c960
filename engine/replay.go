package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/bucketgen/bucketgen/internal/replay"
	"github.com/bucketgen/bucketgen/registry/table"
)

// ReplayOptions say how to replay events.
type ReplayOptions struct {
	// Until is where virtual time ends: after the last event the clock runs on to it, and events
	// that occurred later are refused. Defaults to the time of the last event.
	Until time.Time

	// Progress is called now and then with the number of events that were taken in so far. Defaults
	// to nothing.
	Progress func(events int64)

	// Refused is called with each event that was refused, and why; the replay goes on. It may be
	// called from several goroutines, but not at once, and not any more once the replay has ended.
	// Defaults to ending the replay.
	Refused func(place int64, err error)
}

// ReplaySummary is what a replay came to.
type ReplaySummary struct {
	Events     int64         `json:"events"` // taken in
	Duplicates int64         `json:"duplicates"`
	Refused    int64         `json:"refused"`
	End        time.Time     `json:"end,omitzero"` // of virtual time
	Buckets    []BucketTally `json:"buckets"`

	after int64 // the last transition before the replay
}

// BucketTally is what a replay did to a bucket.
type BucketTally struct {
	BucketID string `json:"bucketId"`
	Entered  int64  `json:"entered"`
	Left     int64  `json:"left"`
	Active   int64  `json:"active"` // members at the end, also those who were there before
}

// Events takes events in as if each were being ingested at the time at which it occurred, in
// virtual time: the clock is that of the events, and everything that is due between them happens at
// its own instant. So the outcome is the same as if the engine had been running all the while. The
// clock never goes back: an event that is earlier than one before it is late. Events need a time.
//
// If ctx ends first, some of the events have been taken in, and with keys all can safely be
// replayed again.
//
// The engine must be started without its own clock, which would take whatever is due for overdue,
// and should be started without delivery. No other engine may be working on the database.
func (g *Replay) Events(ctx context.Context, events iter.Seq2[Event, error], o ReplayOptions) (ReplaySummary, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return ReplaySummary{}, fmt.Errorf("replay: %w", err)
	}
	if !e.config.NoClock {
		return ReplaySummary{}, errors.New("replay: the engine runs on its own clock; set Config.NoClock")
	}
	if d, err := e.refresh(ctx); err != nil || !d.Agreed {
		return ReplaySummary{}, fmt.Errorf("replay: %w", cmp.Or(err, ErrNotDeployed))
	}
	var s ReplaySummary
	var err error
	if s.after, err = e.store.Queries(e.pool).TransitionsLast(ctx); err != nil {
		return ReplaySummary{}, fmt.Errorf("replay: %w", err)
	}
	done, err := replay.Run(ctx, replay.Deps{Ingest: e.ingest, Clock: e.clock, Options: e.options(false)}, events, replay.Options(o))
	s.Events, s.Duplicates, s.Refused, s.End = done.Events, done.Duplicates, done.Refused, done.End
	if err == nil {
		s.Buckets, err = e.tally(ctx, s.after)
	}
	if err != nil {
		return s, fmt.Errorf("replay: %w", err)
	}
	return s, nil
}

// tally counts what happened to each bucket after a transition.
func (e *Engine) tally(ctx context.Context, after int64) ([]BucketTally, error) {
	q := e.store.Queries(e.pool)
	rows, err := q.TransitionsTally(ctx, after)
	if err != nil {
		return nil, fmt.Errorf("count what happened: %w", err)
	}
	all := make([]BucketTally, len(e.registry.Buckets))
	for _, row := range rows {
		if b, known := e.store.Index(row.BucketNo); known {
			all[b] = BucketTally{Entered: row.Entered, Left: row.Left}
		}
	}
	for i := range all {
		t := &all[i]
		t.BucketID = e.registry.Buckets[i].ID
		if t.Active, err = q.MembershipsCount(ctx, e.store.Bucket(table.BucketIndex(i))); err != nil {
			return nil, fmt.Errorf("count members: %w", err)
		}
	}
	return all, nil
}

// Transitions goes through what a replay did to memberships, by the time at which it became true.
// After an error there is no more.
func (g *Replay) Transitions(ctx context.Context, s ReplaySummary) iter.Seq2[Transition, error] {
	e := (*Engine)(g)
	return func(yield func(Transition, error) bool) {
		if err := e.ready(); err != nil {
			yield(Transition{}, fmt.Errorf("replay: %w", err))
			return
		}
		rows, err := e.store.Queries(e.pool).TransitionsByTime(ctx, s.after)
		if err != nil {
			yield(Transition{}, fmt.Errorf("read what the replay did: %w", err))
			return
		}
		for _, row := range rows {
			if t, known := e.logged(row.BucketgenTransition, row.UserID, row.Email); known && !yield(t, nil) {
				return
			}
		}
	}
}
