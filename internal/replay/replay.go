// Package replay takes recorded events in at the times at which they occurred.
package replay

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/batch"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/ingest"
	"github.com/bucketgen/bucketgen/internal/scheduler"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Deps is what a replay needs of an engine.
type Deps struct {
	Ingest *ingest.Service
	Clock  *scheduler.Clock

	// Options are those of a decision at the time of a replay.
	Options decide.Options
}

// Options say how to replay events.
type Options struct {
	// Until is where virtual time ends. Zero: at the last event.
	Until time.Time

	// Progress is called now and then with the number of events that were taken in. Nil: it is not
	// reported.
	Progress func(events int64)

	// Refused is called with each event that was refused. Nil: the first of them ends the replay.
	Refused func(place int64, err error)
}

// Result is what a replay came to.
type Result struct {
	Events, Duplicates, Refused int64

	End time.Time // of virtual time; zero if there was no event
}

// Run takes events in, and lets the clock run to the end.
func Run(ctx context.Context, d Deps, events iter.Seq2[bucketgen.Event, error], o Options) (Result, error) {
	r := &replay{Deps: d, options: o, call: &batch.Call{}, lanes: ingest.Lanes{}, now: table.Unset}
	r.call.Init(1)
	ctx, r.abort = context.WithCancelCause(ctx)
	defer r.abort(nil)
	err := r.feed(ctx, events)
	r.call.Finish()
	select {
	case <-r.call.Done():
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx) // which says more than any error that it caused
	}
	if err == nil {
		err = r.runOn(ctx)
	}
	return r.end(), err
}

// replay is a replay that runs.
type replay struct {
	Deps

	options Options
	call    *batch.Call // all items since the last drain, and one that stands for those to come
	lanes   ingest.Lanes
	now     table.Instant
	abort   context.CancelCauseFunc

	mu     sync.Mutex
	result Result
	ended  bool
}

// end returns what the replay came to. What is still under way does not count any more.
func (r *replay) end() Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	return r.result
}

// feed hands the events to the batcher, as fast as that takes them.
func (r *replay) feed(ctx context.Context, events iter.Seq2[bucketgen.Event, error]) error {
	place := int64(0)
	for ev, err := range events {
		if err != nil {
			return err
		}
		place++
		if err := r.put(ctx, &ev, place); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil // the cause is known
		}
	}
	return nil
}

// put queues an event. One that is wrong is refused.
func (r *replay) put(ctx context.Context, ev *bucketgen.Event, place int64) error {
	ids, err := r.Ingest.Rules().Read(ev)
	if err != nil {
		r.refuse(place, err)
		return nil
	}
	valid, err := r.validate(ev)
	if err != nil {
		r.refuse(place, err)
		return nil
	}
	const most = 10_000 // ids whose lanes are kept
	if len(r.lanes) > most || r.lanes.Cross(ids.Subject, ids.Others) {
		r.drain(ctx)
		r.lanes.Cross(ids.Subject, ids.Others)
	}
	r.now = max(r.now, valid.OccurredAt)
	r.call.Add()
	err = r.Ingest.Put(ctx, r.call, ids, valid, r.now, func(duplicate bool, err error) { r.count(ctx, place, duplicate, err) })
	if err != nil {
		r.call.Finish() // in its stead
	}
	return err
}

// drain waits until all events that were put are done: the next one may be about the same user as
// one of them, by another id.
func (r *replay) drain(ctx context.Context) {
	r.call.Finish()
	select {
	case <-r.call.Done():
	case <-ctx.Done():
	}
	r.call, r.lanes = &batch.Call{}, ingest.Lanes{}
	r.call.Init(1)
}

func (r *replay) validate(ev *bucketgen.Event) (decide.Event, error) {
	if ev.OccurredAt.IsZero() {
		return decide.Event{}, &bucketgen.InvalidError{Field: "occurred_at", Problem: "is missing"}
	}
	return r.Ingest.Validate(ev, ev.OccurredAt, r.options.Until)
}

func (r *replay) count(ctx context.Context, place int64, duplicate bool, err error) {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return // it was not refused, but the replay has ended
	}
	if err != nil {
		r.refuse(place, err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	if duplicate {
		r.result.Duplicates++
	} else {
		r.result.Events++
	}
	if n := r.result.Events + r.result.Duplicates; r.options.Progress != nil && n%256 == 0 {
		r.options.Progress(n)
	}
}

func (r *replay) refuse(place int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.result.Refused++
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
	r.result.End = end.Time()
	_, err := r.Clock.RunDue(ctx, r.Options, func() table.Instant { return end }, nil)
	return err
}
