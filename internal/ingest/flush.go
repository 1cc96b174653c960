package ingest

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/health"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/transact"
)

// flushLoop writes batches until there are no more, or another flusher has taken its place.
func (s *Service) flushLoop(ctx context.Context, replaced *atomic.Bool) {
	for items := s.batcher.Take(); items != nil; items = s.batcher.Take() {
		began := time.Now()
		ctx, end := s.deps.Metrics.Begin(ctx, "flush", trace.WithLinks(linksOf(items)...))
		putOff := s.flush(ctx, items)
		s.batcher.GiveBack(items, putOff)
		s.deps.Counters.Batches.Add(1)
		s.deps.Metrics.Flushed(ctx, len(items), time.Since(began))
		end(nil, attribute.Int("bucketgen.events", len(items)), attribute.Int("bucketgen.put_off", len(putOff)))
		if replaced.Load() {
			return
		}
	}
}

// flusherKey is the key of a context's value that says how to replace the flusher whose context it
// is.
type flusherKey struct{}

// Replace lets another flusher take the place of the one that has the context, if it is one.
func Replace(ctx context.Context) {
	if another, ok := ctx.Value(flusherKey{}).(func()); ok {
		another()
	}
}

// flusher runs a flusher until there are no more batches. Where one is held by a transaction whose
// fate is not known, another takes its place, and it ends with its batch; so there are few more
// than Config.Flushers.
func (s *Service) flusher(ctx context.Context) {
	var replaced atomic.Bool
	another := func() {
		if s.replaced.Add(1) > int64(maxReplaced*s.deps.Flushers) || replaced.Swap(true) {
			s.replaced.Add(-1)
			return
		}
		s.flushers.Go(func() { s.flusher(ctx) })
	}
	s.flushLoop(context.WithValue(ctx, flusherKey{}, another), &replaced)
	if replaced.Load() {
		s.replaced.Add(-1)
	}
}

// maxReplaced bounds how many flushers are held at once, for each that there is.
const maxReplaced = 3

// flush writes a batch. It returns the items that have to wait, because another transaction holds
// the lock of their user.
func (s *Service) flush(ctx context.Context, items []*item) []*item {
	f := flush{Service: s, late: map[string]bool{}}
	f.write(ctx, items)
	return f.putOff
}

// flush is one batch being written.
type flush struct {
	*Service

	putOff []*item
	late   map[string]bool // users with an item that was put off: their later items must be, too
}

// write writes items: those that come before one whose ids make contacts one, then that, and so on.
// They go in the order in which they came: one without a user id may be of the same user as others.
func (f *flush) write(ctx context.Context, items []*item) {
	if !slices.ContainsFunc(items, f.unresolved) {
		f.store(ctx, items)
		return
	}
	items = slices.SortedFunc(slices.Values(items), func(a, b *item) int { return cmp.Compare(a.place, b.place) })
	for items = f.awaited(items); len(items) > 0; items = f.awaited(items) {
		n, err := f.link(ctx, items)
		f.store(ctx, items[:n])
		if items = items[n:]; err != nil {
			f.finish(items[0], err)
			items = items[1:]
		}
	}
}

// store writes items whose ids are resolved. If the database refuses them for what one of them is,
// they are tried in halves, down to the one that it does not take. For any other reason nothing is
// refused: they are retried until their callers wait no longer. Fewer at once may pass where a
// lock, a timeout or an error that is not known keeps more from it, so such errors lead to halves,
// too.
func (f *flush) store(ctx context.Context, items []*item) {
	r := f.attempts()
	defer f.deps.Health.Finish(r)
	for items = f.admit(items); len(items) > 0; items = f.awaited(items) {
		var err error
		err = transact.Canonical(func() error {
			if items, err = f.name(ctx, f.awaited(items)); err != nil {
				return err
			}
			return f.attempt(ctx, items)
		}, func(n transact.Names) { rename(items, n) })
		if err == nil && len(items) > 0 {
			f.deps.Health.Succeed()
		}
		switch {
		case err == nil:
			return
		case errors.Is(err, transact.ErrReplaced):
			f.doubt(items)
			f.write(ctx, items)
			return
		}
		if len(items) > 1 && ctx.Err() == nil && f.halves(r, err) {
			f.store(ctx, items[:len(items)/2])
			f.store(ctx, items[len(items)/2:])
			return
		}
		if err := f.again(ctx, r, err); err != nil {
			f.fail(items, err)
			return
		}
	}
}

func (f *flush) attempts() *health.Attempts {
	return &health.Attempts{Attempts: retry.Attempts{Component: "ingest", Log: f.deps.Log}}
}

// again waits before the next attempt after an error, or returns why there is none.
func (f *flush) again(ctx context.Context, r *health.Attempts, err error) error {
	if blame.Transient(err) && ctx.Err() == nil {
		f.deps.Health.Fail(r, err)
		f.deps.Health.Shun(err)
	}
	return r.Again(ctx, err)
}

// crowdedAttempts is how often a batch is tried before it is tried in halves because of an error
// that may pass by itself.
const crowdedAttempts = 3

// halves reports whether a batch should be retried in halves after an error.
func (f *flush) halves(r *health.Attempts, err error) bool {
	return !blame.Transient(err) || blame.LockTimeout(err) || blame.Crowded(err) && r.Count() >= crowdedAttempts
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

// name resolves the names of events, and refuses those beyond the bound on new ones. It returns the
// others.
func (f *flush) name(ctx context.Context, items []*item) ([]*item, error) {
	r := f.deps.Runner()
	if err := r.Store.NameEvents(ctx, r.Pool, f.deps.OwnNow(), eventsOf(items)); err != nil {
		return items, err
	}
	if !slices.ContainsFunc(items, (*item).unnamed) {
		return items, nil
	}
	named := make([]*item, 0, len(items))
	for _, it := range items {
		if it.unnamed() {
			f.finish(it, f.tooManyNames())
		} else {
			named = append(named, it)
		}
	}
	return named, nil
}

func (f *flush) attempt(ctx context.Context, items []*item) error {
	if len(items) == 0 {
		return nil
	}
	tasks, all := f.ingestions(items)
	if err := f.deps.Runner().Commit(ctx, false, tasks); err != nil {
		return err
	}
	f.note(all) // before a caller hears of it, who may ask for the catalog next
	f.settleIDs(ctx, all)
	for i := range all {
		for _, it := range all[i].items {
			if all[i].Missed && (it.result.Ended || !all[i].Result.Ended) {
				f.putOff = append(f.putOff, it)
				f.late[it.user] = true
				continue
			}
			it.suppressed = all[i].Suppressed
			f.finish(it, it.refusal())
		}
	}
	return nil
}

func (f *flush) finish(it *item, err error) {
	it.err = err
	f.room.release(1, it.size())
	f.count(it)
	f.log(it)
	if !it.call.Began.IsZero() {
		f.deps.Metrics.Ingested(it.ctx, time.Since(it.call.Began))
	}
	if it.done != nil {
		it.done(it.result.Duplicate, err)
	}
	it.call.Finish()
}

// log logs the outcome of an event, so that one can be traced. The key is the caller's id of it.
func (f *flush) log(it *item) {
	if !f.deps.Log.Enabled(it.ctx, slog.LevelDebug) {
		return
	}
	f.deps.Log.DebugContext(it.ctx, "event decided", "component", "ingest",
		"user", it.name(), "event", it.event.Name, "key", it.event.Key, "duplicate", it.result.Duplicate, "error", it.err)
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
