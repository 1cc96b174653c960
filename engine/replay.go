package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/internal/batch"
	"github.com/bucketgen/bucketgen/registry/table"
)

// ReplayOptions say how to replay events.
type ReplayOptions struct {
	// Until is where virtual time ends: after the last event the clock runs on to it, and events that occurred later are refused.
	// Defaults to the time of the last event.
	Until time.Time

	// Progress is called now and then with the number of events that were taken in so far. Defaults to nothing.
	Progress func(events int64)

	// Refused is called with each event that was refused, and why; the replay goes on. It may be called from several
	// goroutines, but not at once, and not any more once the replay has ended. Defaults to ending the replay.
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

// Events takes events in as if each were being ingested at the time at which it occurred, in virtual time: the
// clock is that of the events, and everything that is due between them happens at its own instant. So the outcome is
// the same as if the engine had been running all the while. The clock never goes back: an event that is earlier than
// one before it is late. Events need a time.
//
// If ctx ends first, some of the events have been taken in, and with keys all can safely be replayed again.
//
// The engine must be started without its own clock, which would take whatever is due for overdue, and should be started
// without delivery. No other engine may be working on the database.
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
	r := &replay{engine: e, options: o, call: &batch.Call{}, now: table.Unset}
	r.call.Init(1)
	var err error
	if r.summary.after, err = e.store.Queries(e.pool).TransitionsLast(ctx); err != nil {
		return ReplaySummary{}, fmt.Errorf("replay: %w", err)
	}
	ctx, r.abort = context.WithCancelCause(ctx)
	defer r.abort(nil)
	err = r.feed(ctx, events)
	r.call.Finish()
	select {
	case <-r.call.Done():
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx) // which says more than whatever else it made fail
	}
	if err == nil {
		err = r.runOn(ctx)
	}
	if err == nil {
		err = r.tally(ctx)
	}
	if err != nil {
		return r.end(), fmt.Errorf("replay: %w", err)
	}
	return r.end(), nil
}

// replay is a replay that runs.
type replay struct {
	engine  *Engine
	options ReplayOptions
	call    *batch.Call // all items of the replay, and one that stands for the end of the input
	now     table.Instant
	abort   context.CancelCauseFunc

	mu      sync.Mutex
	summary ReplaySummary
	ended   bool
}

// end returns what the replay came to. What is still under way does not count any more.
func (r *replay) end() ReplaySummary {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	return r.summary
}

// feed hands the events to the batcher, as fast as that takes them.
func (r *replay) feed(ctx context.Context, events iter.Seq2[Event, error]) error {
	place := int64(0)
	for ev, err := range events {
		if err != nil {
			return err
		}
		place++
		it, err := r.item(ctx, &ev, place)
		if err != nil {
			if r.refuse(place, err); ctx.Err() != nil {
				return nil // the cause is known
			}
			continue
		}
		if err := r.engine.enqueue(ctx, []*item{it}); err != nil {
			r.call.Finish() // in its stead
			return err
		}
	}
	return nil
}

func (r *replay) item(ctx context.Context, ev *Event, place int64) (*item, error) {
	if ev.OccurredAt.IsZero() {
		return nil, &InvalidError{Field: "occurred_at", Problem: "is missing"}
	}
	valid, err := r.engine.validateUntil(ev, ev.OccurredAt, r.options.Until)
	if err != nil {
		return nil, err
	}
	r.now = max(r.now, valid.OccurredAt)
	r.call.Add()
	return &item{user: r.engine.name(ev.UserID), event: valid, at: r.now, ctx: ctx, call: r.call, done: func(it *item) { r.count(it, place) }}, nil
}

func (r *replay) count(it *item, place int64) {
	if it.ctx.Err() != nil && errors.Is(it.err, it.ctx.Err()) {
		return // it was not refused, but the replay has ended
	}
	if it.err != nil {
		r.refuse(place, it.err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	if it.result.Duplicate {
		r.summary.Duplicates++
	} else {
		r.summary.Events++
	}
	if n := r.summary.Events + r.summary.Duplicates; r.options.Progress != nil && n%256 == 0 {
		r.options.Progress(n)
	}
}

func (r *replay) refuse(place int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.summary.Refused++
	if r.options.Refused == nil {
		r.abort(fmt.Errorf("event %d: %w", place, err))
		return
	}
	r.options.Refused(place, err)
}

// runOn lets the clock run to the end.
func (r *replay) runOn(ctx context.Context) error {
	end := r.now
	if !r.options.Until.IsZero() {
		end = table.At(r.options.Until)
	}
	if end == table.Unset {
		return nil
	}
	r.summary.End = end.Time()
	_, err := r.engine.clock.RunDue(ctx, r.engine.options(false), func() table.Instant { return end }, nil)
	return err
}

// tally counts what the replay did.
func (r *replay) tally(ctx context.Context) error {
	e := r.engine
	rows, err := e.store.Queries(e.pool).TransitionsTally(ctx, r.summary.after)
	if err != nil {
		return fmt.Errorf("count what happened: %w", err)
	}
	r.summary.Buckets = make([]BucketTally, len(e.registry.Buckets))
	for _, row := range rows {
		if b, known := e.store.Index(row.BucketNo); known {
			r.summary.Buckets[b] = BucketTally{Entered: row.Entered, Left: row.Left}
		}
	}
	for i := range r.summary.Buckets {
		t := &r.summary.Buckets[i]
		t.BucketID = e.registry.Buckets[i].ID
		if t.Active, err = e.store.Queries(e.pool).MembershipsCount(ctx, e.store.Bucket(table.BucketIndex(i))); err != nil {
			return fmt.Errorf("count members: %w", err)
		}
	}
	return nil
}

// Transitions goes through what a replay did to memberships, by the time at which it became true. After an error
// there is no more.
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
