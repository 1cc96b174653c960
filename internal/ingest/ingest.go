// Package ingest takes events in: a queue, batches, and the transactions that write them.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/batch"
	"github.com/bucketgen/bucketgen/internal/catalog"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/health"
	"github.com/bucketgen/bucketgen/internal/merge"
	"github.com/bucketgen/bucketgen/internal/metrics"
	"github.com/bucketgen/bucketgen/internal/recent"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Deps is what ingest needs of an engine.
type Deps struct {
	Registry *table.Registry
	Log      *slog.Logger

	// Runner returns the runner of transactions. It is called after the engine opened its store.
	Runner func() *transact.Runner

	// Ready returns an error unless the engine runs.
	Ready func() error

	// Name returns the name by which a user goes, as far as the process knows, and the contact if
	// that is by a merge, or 0.
	Name func(user string) (name string, contact int64)

	// Merger does what the ids of events ask for. It is called after the engine opened its store.
	Merger func() *merge.Merger

	// Now is the clock by which users are decided on, OwnNow the one of the process.
	Now, OwnNow func() time.Time

	// Options are those of a decision at the present time, Replayed those of one at the time of a
	// replay.
	Options, Replayed decide.Options

	// Limits bound an event, NewNames how many of their names may be new within a day.
	Limits   event.Limits
	NewNames int

	Catalog  *catalog.Recorder // nil: nothing is counted
	Recent   *recent.Events    // nil: none are kept
	Health   *health.Health
	Metrics  *metrics.Instruments
	Counters *metrics.Counters

	// Suppressed counts events that were dropped because their user is suppressed.
	Suppressed func(events int)

	// Flushers is how many batches are written at once, MaxBatch how many events one has at most.
	Flushers, MaxBatch int

	// QueueSize and QueueBytes bound the events that wait.
	QueueSize, QueueBytes int
}

// Service takes events in. It is safe for concurrent use.
type Service struct {
	deps     Deps
	batcher  *batch.Batcher[*item]
	room     *room        // of the items that are not done
	replaced atomic.Int64 // flushers that are held by a transaction whose outcome is not known
	flushers sync.WaitGroup
	refusals *refusals
}

// New returns a service whose queue is empty.
func New(d Deps) *Service {
	return &Service{deps: d, batcher: batch.New[*item](d.MaxBatch), room: newRoom(d.QueueSize, d.QueueBytes), refusals: newRefusals()}
}

// Start starts the flushers. Their batches end with ctx.
func (s *Service) Start(ctx context.Context) {
	for range s.deps.Flushers {
		s.flushers.Go(func() { s.flusher(ctx) })
	}
}

// Close takes no more events. Those that wait are written.
func (s *Service) Close() { s.batcher.Close() }

// Wait returns once the service is closed and nothing waits.
func (s *Service) Wait() { s.flushers.Wait() }

// Waiting returns how many events wait to be written.
func (s *Service) Waiting() int { return s.room.waiting() }

// Ingest takes events in, each as engine.IngestBatch says.
func (s *Service) Ingest(ctx context.Context, events []bucketgen.Event) ([]bucketgen.Result, error) {
	if !trace.SpanContextFromContext(ctx).IsSampled() { // a span would not be recorded, and calls are very many
		return s.ingestBatch(ctx, events)
	}
	ctx, end := s.deps.Metrics.Begin(ctx, "ingest")
	results, err := s.ingestBatch(ctx, events)
	end(err, attribute.Int("bucketgen.events", len(events)))
	return results, err
}

func (s *Service) ingestBatch(ctx context.Context, events []bucketgen.Event) ([]bucketgen.Result, error) {
	single := &struct { // most calls are about one event: these take one allocation
		call  batch.Call
		items [1]item
		valid [1]*item
	}{}
	c, items, valid := &single.call, single.items[:], single.valid[:0]
	c.Began = time.Now()
	if len(events) != 1 {
		items, valid = make([]item, len(events)), make([]*item, 0, len(events))
	}
	now := s.deps.Now()
	for i := range events {
		it := &items[i]
		*it = item{at: table.Unset, ctx: ctx, call: c}
		if it.err = s.read(it, &events[i], now); it.err == nil {
			valid = append(valid, it)
		}
	}
	if err := s.processInTurn(ctx, c, valid); err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}
	results := make([]bucketgen.Result, len(events))
	var failed []error
	for i := range items {
		results[i] = s.result(&items[i])
		if results[i].Err != nil {
			failed = append(failed, fmt.Errorf("ingest event %d: %w", i, results[i].Err))
		}
	}
	return results, errors.Join(failed...)
}

// read reads an event.
func (s *Service) read(it *item, ev *bucketgen.Event, now time.Time) error {
	ids, err := s.deps.Limits.IDs.Read(ev)
	for _, kind := range ids.Blocked {
		s.deps.Metrics.Blocked(it.ctx, kind)
	}
	if err != nil {
		return err
	}
	it.given, it.others, it.warnings, it.untrusted = ids.Subject, ids.Others, ids.Warnings, ev.Untrusted
	it.user, it.survivor = s.deps.Name(it.given)
	it.event, err = s.Validate(ev, now, time.Time{})
	return err
}

// process hands items to the batcher and waits for them. Where the queue is full, it waits for room
// first.
func (s *Service) process(ctx context.Context, c *batch.Call, items []*item) error {
	if err := s.deps.Ready(); err != nil || len(items) == 0 {
		return err
	}
	c.Init(len(items))
	for rest := items; len(rest) > 0; {
		part := rest[:min(len(rest), s.deps.MaxBatch)]
		rest = rest[len(part):]
		if err := s.enqueue(ctx, part); err != nil {
			return err
		}
	}
	select {
	case <-c.Done():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// HasRoom reports whether the queue has room for that number of events, whose bytes are not known.
func (s *Service) HasRoom(events int) bool { return s.room.fits(events) }

// enqueue hands items to the batcher, as soon as there is room for all of them.
func (s *Service) enqueue(ctx context.Context, items []*item) error {
	bytes := 0
	for _, it := range items {
		bytes += it.size()
	}
	if err := s.room.acquire(ctx, len(items), bytes); err != nil {
		return err
	}
	if !s.batcher.Put(items) {
		s.room.release(len(items), bytes)
		return bucketgen.ErrStopped
	}
	return nil
}

func (s *Service) result(it *item) bucketgen.Result {
	if it.err != nil {
		return bucketgen.Result{Err: it.err}
	}
	return bucketgen.Result{
		Duplicate: it.result.Duplicate, Suppressed: it.suppressed, Warnings: it.warnings,
		Transitions: transact.Transitions(s.deps.Registry, it.name(), it.result.Transitions),
	}
}

// Rules returns which ids events may carry.
func (s *Service) Rules() *event.IDRules { return &s.deps.Limits.IDs }

// Validate turns an event, but for its ids, into what decide understands, or says which field is
// wrong. now is the time at which it arrives. None may have occurred after end, if that is not
// zero.
func (s *Service) Validate(ev *bucketgen.Event, now, end time.Time) (decide.Event, error) {
	limits := s.deps.Limits
	limits.End = end
	return event.Validate(s.deps.Registry, ev, now, limits)
}

// Put queues an event that is decided on at the time at, as a replay does, as soon as there is room
// for it. done is called when it is done, and then the call has finished it. If Put returns an
// error, neither happens.
func (s *Service) Put(ctx context.Context, c *batch.Call, ids event.IDs, ev decide.Event, at table.Instant, done func(duplicate bool, err error)) error {
	it := &item{given: ids.Subject, others: ids.Others, event: ev, at: at, ctx: ctx, call: c, done: done}
	it.user, it.survivor = s.deps.Name(it.given)
	return s.enqueue(ctx, []*item{it})
}

func (s *Service) now() table.Instant { return table.At(s.deps.Now()) }

// count counts an event that is done.
func (s *Service) count(it *item) {
	switch {
	case it.err != nil:
		s.deps.Counters.Refused.Add(1)
	case it.suppressed:
		s.deps.Suppressed(1)
	case it.result.Duplicate:
		s.deps.Counters.Duplicates.Add(1)
	default:
		s.deps.Counters.Events.Add(1)
	}
}
