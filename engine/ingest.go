package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/bucketgen/bucketgen/internal/batch"
	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/health"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Ingest takes an event in: it is stored and every membership that it changes is changed, all or nothing, before the
// call returns. A refused event gives an [*InvalidError].
//
// If ctx ends first, the event may or may not have been taken in; with a key it can safely be sent again.
func (e *Engine) Ingest(ctx context.Context, ev Event) (Result, error) {
	results, err := e.IngestBatch(ctx, []Event{ev})
	if err == nil {
		return results[0], nil
	}
	if len(results) > 0 && results[0].Err != nil {
		return Result{}, fmt.Errorf("ingest: %w", results[0].Err)
	}
	return Result{}, err
}

// IngestBatch takes events in, as Ingest does each of them. Those of one user apply in the given order. One that is
// refused does not keep the others out: results has an entry for each event, with its own Err, and the error joins all
// of those.
func (e *Engine) IngestBatch(ctx context.Context, events []Event) ([]Result, error) {
	if !trace.SpanContextFromContext(ctx).IsSampled() { // a span would not be recorded, and calls are very many
		return e.ingestBatch(ctx, events)
	}
	ctx, end := e.telemetry.Begin(ctx, "ingest")
	results, err := e.ingestBatch(ctx, events)
	end(err, attribute.Int("bucketgen.events", len(events)))
	return results, err
}

func (e *Engine) ingestBatch(ctx context.Context, events []Event) ([]Result, error) {
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
	now := e.Now()
	for i := range events {
		it := &items[i]
		*it = item{user: e.name(events[i].UserID), at: table.Unset, ctx: ctx, call: c}
		if it.event, it.err = e.validate(&events[i], now); it.err == nil {
			valid = append(valid, it)
		}
	}
	if err := e.process(ctx, c, valid); err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}
	results := make([]Result, len(events))
	var failed []error
	for i := range items {
		results[i] = e.result(&items[i])
		if results[i].Err != nil {
			failed = append(failed, fmt.Errorf("ingest event %d: %w", i, results[i].Err))
		}
	}
	return results, errors.Join(failed...)
}

// process hands items to the batcher and waits for them. Where the queue is full, it waits for room first.
func (e *Engine) process(ctx context.Context, c *batch.Call, items []*item) error {
	if err := e.ready(); err != nil || len(items) == 0 {
		return err
	}
	c.Init(len(items))
	for rest := items; len(rest) > 0; {
		part := rest[:min(len(rest), e.config.MaxBatch)]
		rest = rest[len(part):]
		if err := e.enqueue(ctx, part); err != nil {
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

// HasRoom reports whether the queue has room for that number of events, so that IngestBatch would
// not wait for it, unless they are larger than what is left of [Config].QueueBytes. More events
// than the queue holds find room when it is empty. The answer may be out of date when it arrives.
func (e *Engine) HasRoom(events int) bool { return e.room.takes(events) }

// enqueue hands items to the batcher, as soon as there is room for all of them.
func (e *Engine) enqueue(ctx context.Context, items []*item) error {
	bytes := 0
	for _, it := range items {
		bytes += it.size()
	}
	if err := e.room.enter(ctx, len(items), bytes); err != nil {
		return err
	}
	if !e.batcher.Put(items) {
		e.room.leave(len(items), bytes)
		return ErrStopped
	}
	return nil
}

// itemBytes is about what an item takes beside its texts.
const itemBytes = 512

// size is how many bytes an item takes, about. It is the same for as long as the item waits.
func (it *item) size() int {
	ev := &it.event
	return itemBytes + len(it.user) + len(ev.Name) + len(ev.Key) + len(ev.Properties.Raw) + len(ev.Traits.Raw) + len(ev.Once.Raw)
}

func (e *Engine) result(it *item) Result {
	if it.err != nil {
		return Result{Err: it.err}
	}
	return Result{Duplicate: it.result.Duplicate, Transitions: e.transitions(it.name(), it.result.Transitions)}
}

// flushLoop writes batches until there are no more, or another flusher has taken its place.
func (e *Engine) flushLoop(ctx context.Context, replaced *atomic.Bool) {
	for items := e.batcher.Take(); items != nil; items = e.batcher.Take() {
		began := time.Now()
		ctx, end := e.telemetry.Begin(ctx, "flush", trace.WithLinks(linksOf(items)...))
		putOff := e.flush(ctx, items)
		e.batcher.GiveBack(items, putOff)
		e.stats.Batches.Add(1)
		e.telemetry.Flushed(ctx, len(items), time.Since(began))
		end(nil, attribute.Int("bucketgen.events", len(items)), attribute.Int("bucketgen.put_off", len(putOff)))
		if replaced.Load() {
			return
		}
	}
}

// flush writes a batch. It returns the items that have to wait, because another transaction holds
// the lock of their user.
func (e *Engine) flush(ctx context.Context, items []*item) []*item {
	f := flush{engine: e, late: map[string]bool{}}
	f.write(ctx, items)
	return f.putOff
}

// flush is one batch being written.
type flush struct {
	engine *Engine
	putOff []*item
	late   map[string]bool // users with an item that was put off: their later items must be, too
}

// write writes items. If the database refuses them for what one of them is, they are tried in halves, down to the one that it
// does not take. For any other reason nothing is refused: they are retried until their callers wait no longer. Fewer at once
// may pass where a lock, a timeout or an error that is not known keeps more from it, so such errors lead to halves, too.
func (f *flush) write(ctx context.Context, items []*item) {
	r := &health.Attempts{Attempts: retry.Attempts{Component: "ingest", Log: f.engine.log}}
	defer f.engine.health.Finish(r)
	for items = f.admit(items); len(items) > 0; items = f.awaited(items) {
		var err error
		err = transact.Canonical(func() error {
			if items, err = f.name(ctx, f.awaited(items)); err != nil {
				return err
			}
			return f.attempt(ctx, items)
		}, func(n transact.Names) { rename(items, n) })
		if err == nil && len(items) > 0 {
			f.engine.health.Succeed()
		}
		if err == nil {
			return
		}
		if len(items) > 1 && ctx.Err() == nil && f.halves(r, err) {
			f.write(ctx, items[:len(items)/2])
			f.write(ctx, items[len(items)/2:])
			return
		}
		if Transient(err) && ctx.Err() == nil {
			f.engine.health.Fail(r, err)
			f.engine.health.Shun(err)
		}
		if err := r.Again(ctx, err); err != nil {
			f.fail(items, err)
			return
		}
	}
}

// crowdedAttempts is how often a batch is tried before it is tried in halves because of an error that may pass by itself.
const crowdedAttempts = 3

// halves reports whether a batch should be retried in halves after an error.
func (f *flush) halves(r *health.Attempts, err error) bool {
	return !Transient(err) || blame.LockTimeout(err) || blame.Crowded(err) && r.Count() >= crowdedAttempts
}

// awaited returns the items whose callers still wait. Nothing was done about the others.
func (f *flush) awaited(items []*item) []*item {
	return slices.DeleteFunc(items, func(it *item) bool {
		err := it.ctx.Err()
		if err != nil {
			f.finish(it, err)
		}
		return err != nil
	})
}

// admit puts off the items of users with an item that was put off before, and drops those whose
// callers do not wait any more.
func (f *flush) admit(items []*item) []*item {
	admitted := make([]*item, 0, len(items))
	for _, it := range items {
		if f.late[it.user] {
			f.putOff = append(f.putOff, it)
		} else {
			admitted = append(admitted, it)
		}
	}
	return f.awaited(admitted)
}

// name resolves the names of events, and refuses those beyond the bound on new ones. It returns the others.
func (f *flush) name(ctx context.Context, items []*item) ([]*item, error) {
	e := f.engine
	if err := e.store.NameEvents(ctx, e.pool, e.config.Now(), eventsOf(items)); err != nil {
		return items, err
	}
	if !slices.ContainsFunc(items, (*item).unnamed) {
		return items, nil
	}
	named := make([]*item, 0, len(items))
	for _, it := range items {
		if it.unnamed() {
			f.finish(it, e.tooManyNames())
		} else {
			named = append(named, it)
		}
	}
	return named, nil
}

// unnamed reports whether the name of an event has no number, after the lookup.
func (it *item) unnamed() bool { return it.event.Kind.Named() && it.event.NameNo == 0 }

// tooManyNames refuses an event whose name is new beyond the bound.
func (e *Engine) tooManyNames() error {
	return &InvalidError{Field: "name", Problem: fmt.Sprintf(
		"is new, and no definition declares it; %d new names were created in the last 24 hours, which is the limit: "+
			"send a name that was sent before, put what varies into properties, or raise engine.Config.NewEventNames", e.config.NewEventNames)}
}

func eventsOf(items []*item) []*decide.Event {
	events := make([]*decide.Event, len(items))
	for i, it := range items {
		events[i] = &it.event
	}
	return events
}

func (f *flush) attempt(ctx context.Context, items []*item) error {
	if len(items) == 0 {
		return nil
	}
	e := f.engine
	tasks, all := e.ingestions(items)
	if err := e.runner.Commit(ctx, false, tasks); err != nil {
		return err
	}
	e.catalog.Add(e.now(), stored(all)) // before a caller hears of it, who may ask for the catalog next
	for i := range all {
		for _, it := range all[i].items {
			if all[i].Missed {
				f.putOff = append(f.putOff, it)
				f.late[it.user] = true
				continue
			}
			f.finish(it, it.refusal())
		}
	}
	return nil
}

// ingestion is the task of one user, with the items that it is made of.
type ingestion struct {
	transact.Task

	items []*item
}

// stored returns the events of tasks that were stored, without duplicates.
func stored(all []ingestion) iter.Seq[*decide.Event] {
	return func(yield func(*decide.Event) bool) {
		for i := range all {
			if all[i].Missed {
				continue
			}
			for _, it := range all[i].items {
				if !it.result.Duplicate && !yield(&it.event) {
					return
				}
			}
		}
	}
}

// ingestions makes one task of the items of each user.
func (e *Engine) ingestions(items []*item) ([]*transact.Task, []ingestion) {
	places := make(map[string]int, len(items))
	all := make([]ingestion, 0, len(items)) // they stay where they are
	now := e.now()
	for i, it := range items {
		name := it.name()
		if place, seen := places[name]; seen {
			all[place].items = append(all[place].items, it)
			continue
		}
		places[name] = len(all)
		all = append(all, ingestion{
			Task: transact.Task{
				Want: store.Request{User: name, Create: true, CreatedAt: it.clock(now)}, Options: e.options(it.at == table.Unset), Named: true,
			},
			items: items[i : i+1 : i+1],
		})
	}
	tasks, events := make([]*transact.Task, len(all)), make([]*decide.Event, 0, len(items))
	for i := range all {
		t := &all[i]
		for _, it := range t.items {
			events = append(events, &it.event)
		}
		t.Want.Events = events[len(events)-len(t.items):]
		t.Step = func(s *decide.Session, clock table.Instant) (last decide.Result) {
			for _, it := range t.items {
				last = s.Ingest(it.event, it.clock(clock))
				it.result = last
			}
			return last
		}
		tasks[i] = &t.Task
	}
	return tasks, all
}

// options returns how a session decides at the clock's time, or at the time of a replay.
func (e *Engine) options(clock bool) decide.Options {
	return decide.Options{Live: clock && !e.config.VirtualTime, Replayed: !clock, Limits: e.config.limits().User}
}

// clock returns the time at which the item is decided on: its own in a replay, the given one else.
func (it *item) clock(now table.Instant) table.Instant {
	if it.at != table.Unset {
		return it.at
	}
	return now
}

func (f *flush) finish(it *item, err error) {
	it.err = err
	f.engine.room.leave(1, it.size())
	f.engine.count(it)
	f.log(it)
	if !it.call.Began.IsZero() {
		f.engine.telemetry.Ingested(it.ctx, time.Since(it.call.Began))
	}
	if it.done != nil {
		it.done(it)
	}
	it.call.Finish()
}

// log logs the outcome of an event, so that one can be traced. The key is the caller's id of it.
func (f *flush) log(it *item) {
	if !f.engine.log.Enabled(it.ctx, slog.LevelDebug) {
		return
	}
	f.engine.log.DebugContext(it.ctx, "event decided", "component", "ingest",
		"user", it.name(), "event", it.event.Name, "key", it.event.Key, "duplicate", it.result.Duplicate, "error", it.err)
}

// refusal returns why an event was refused that was decided on, if it was.
func (it *item) refusal() error {
	return event.Refused(it.result.Refused)
}

func (f *flush) fail(items []*item, err error) {
	for _, it := range items {
		f.finish(it, err)
	}
}

// linksOf returns links to the spans of the callers whose items are in a batch, up to a bound.
func linksOf(items []*item) []trace.Link {
	const most = 32
	var links []trace.Link
	var last trace.SpanContext
	for _, it := range items {
		if at := trace.SpanContextFromContext(it.ctx); at.IsValid() && !at.Equal(last) && len(links) < most {
			links, last = append(links, trace.Link{SpanContext: at}), at
		}
	}
	return links
}

// flusherKey is the key of a context's value that says how to replace the flusher whose context it is.
type flusherKey struct{}

// replace lets another flusher take the place of the one that has the context, if it is one.
func replace(ctx context.Context) {
	if another, ok := ctx.Value(flusherKey{}).(func()); ok {
		another()
	}
}

// flusher runs a flusher until there are no more batches. Where one is held by a transaction whose fate is not known, another
// takes its place, and it ends with its batch; so there are few more than Config.Flushers.
func (e *Engine) flusher(ctx context.Context) {
	var replaced atomic.Bool
	another := func() {
		if e.replaced.Add(1) > int64(maxReplaced*e.config.Flushers) || replaced.Swap(true) {
			e.replaced.Add(-1)
			return
		}
		e.flushes.Go(func() { e.flusher(ctx) })
	}
	e.flushLoop(context.WithValue(ctx, flusherKey{}, another), &replaced)
	if replaced.Load() {
		e.replaced.Add(-1)
	}
}

// maxReplaced bounds how many flushers are held at once, for each that there is.
const maxReplaced = 3
