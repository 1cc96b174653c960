package feed

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/retry"
)

// Options say what a reader reads.
type Options struct {
	// After is where the reader continues. Defaults to now.
	After Cursor

	// BucketNos are the numbers of the buckets in the database. Nil: all buckets.
	BucketNos []int32

	// Notices says whether notices are read, of whatever bucket.
	Notices bool

	// Beat is the longest time without an item.
	Beat time.Duration

	// Pace is the least time between two polls that the reader accepts.
	Pace time.Duration
}

// Item is a transition, a notice, or only the position of the reader.
type Item struct {
	// Transition is nil in the first item, and after Beat without transitions.
	Transition *bucketgen.Transition

	// Notice is what happened, if that is no transition.
	Notice *bucketgen.Notice

	// Cursor is where a reader continues after the item.
	Cursor Cursor

	// More says that another item follows at once.
	More bool

	entry *logEntry // entry is shared with other readers; nil if there are none
}

// encoded is a transition as JSON, which is written once for all readers.
type encoded struct {
	once sync.Once
	text []byte
	err  error
}

// JSON returns the transition or the notice as JSON, which is not to be changed.
func (i *Item) JSON() ([]byte, error) {
	switch {
	case i.Notice != nil:
		return json.Marshal(i.Notice)
	case i.entry == nil:
		return json.Marshal(i.Transition)
	}
	e := i.entry.encoded
	e.once.Do(func() { e.text, e.err = json.Marshal(i.entry.Transition) })
	return e.text, e.err
}

// Read goes through announced transitions as they are committed, until ctx ends or the feed stops.
// The first item only has the cursor with which the reader begins.
func (f *Feed) Read(ctx context.Context, o Options) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		r := &reader{feed: f, options: o, at: o.After, yield: yield}
		if err := r.run(ctx); err != nil && !errors.Is(err, errBreak) {
			yield(Item{}, err)
		}
	}
}

// errBreak says that the consumer has left the loop.
var errBreak = errors.New("the consumer has left the loop")

// reader is one that goes through a feed.
type reader struct {
	feed    *Feed
	options Options
	yield   func(Item, error) bool

	at      Cursor
	no      int64     // no is that of the last batch that was delivered
	yielded time.Time // yielded is when the consumer got the last item
}

func (r *reader) run(ctx context.Context) error {
	leave, err := r.feed.join(r.options.Pace)
	if err != nil {
		return err
	}
	defer leave()
	err = r.begin(ctx)
	for err == nil {
		err = r.next(ctx)
	}
	return err
}

// give hands an item to the consumer.
func (r *reader) give(item Item) error {
	r.yielded = time.Now()
	if !r.yield(item, nil) {
		return errBreak
	}
	return nil
}

// begin continues after the cursor, or begins now.
func (r *reader) begin(ctx context.Context) error {
	now, err := r.feed.fresh(ctx)
	if err != nil {
		return err
	}
	if r.at.IsZero() {
		r.at, r.no = Cursor{delivered: now.snapshot}, now.no
	}
	if !now.covers(r.at) {
		return bucketgen.ErrCursor
	}
	if err := r.give(Item{Cursor: r.at}); err != nil {
		return err
	}
	return r.catchUp(ctx, now)
}

// next delivers the batches that follow, or waits for the next poll.
func (r *reader) next(ctx context.Context) error {
	batches, now, kept := r.feed.since(r.no)
	switch {
	case !kept:
		return r.catchUp(ctx, now)
	case len(batches) > 0:
		for _, b := range batches {
			if err := r.deliver(b); err != nil {
				return err
			}
		}
	default:
		r.at = Cursor{delivered: now.snapshot.atLeast(r.at.delivered)}
	}
	left := r.options.Beat - time.Since(r.yielded) // batches may have nothing that the reader reads
	if left <= 0 {
		return r.give(Item{Cursor: r.at})
	}
	if len(batches) > 0 {
		return nil
	}
	return r.wait(ctx, left, now.next)
}

// deliver delivers a batch that the feed has kept.
func (r *reader) deliver(b *batch) error {
	var all []*logEntry
	for i := range b.entries {
		entry := &b.entries[i]
		if r.wants(entry) {
			all = append(all, entry)
		}
	}
	delivered := r.at.delivered
	r.at, r.no = Cursor{delivered: b.to.atLeast(delivered)}, b.no
	for i := range all {
		at, more := r.at, i < len(all)-1
		if more {
			at = Cursor{delivered, b.to, all[i].id}
		}
		if err := r.give(itemOf(all[i], at, more)); err != nil {
			return err
		}
	}
	return nil
}

// wants reports whether the reader reads an entry.
func (r *reader) wants(entry *logEntry) bool {
	switch {
	case entry.notice != nil:
		return r.options.Notices
	case entry.Suppressed:
		return false
	default:
		return r.options.BucketNos == nil || slices.Contains(r.options.BucketNos, entry.bucketNo)
	}
}

// itemOf returns an entry as an item.
func itemOf(entry *logEntry, at Cursor, more bool) Item {
	item := Item{Notice: entry.notice, Cursor: at, More: more, entry: entry}
	if entry.notice == nil {
		t := entry.Transition // a copy, which the consumer may change
		item.Transition = &t
	}
	return item
}

// catchUp delivers what the reader has missed, from the database.
func (r *reader) catchUp(ctx context.Context, now position) error {
	if !now.covers(r.at) { // the server was restored to an earlier state
		return bucketgen.ErrCursor
	}
	if !r.at.to.isZero() { // the rest of the batch in which the cursor is
		if err := r.readTo(ctx, r.at.to); err != nil {
			return err
		}
	}
	if err := r.readTo(ctx, now.snapshot.atLeast(r.at.delivered)); err != nil {
		return err
	}
	r.no = now.no
	return nil
}

// readTo delivers what is visible in a snapshot and was not delivered, page by page.
func (r *reader) readTo(ctx context.Context, to snapshot) error {
	if !to.hasNew(r.at.delivered) {
		return nil
	}
	var backoff retry.Backoff
	for {
		page, err := r.feed.readPage(ctx, r.feed.deps.Pool, r.at.delivered, to, pageOptions{afterID: r.at.id, bucketNos: r.options.BucketNos, notices: r.options.Notices})
		switch {
		case err == nil:
			backoff.Reset()
		case !blame.Transient(err) || !blame.Known(err):
			return err
		default:
			if err := r.wait(ctx, backoff.Next(), nil); err != nil {
				return err
			}
			continue
		}
		for i := range page {
			r.at = Cursor{r.at.delivered, to, page[i].id}
			if i == len(page)-1 && len(page) < pageSize {
				r.at = Cursor{delivered: to}
			}
			if err := r.give(itemOf(&page[i], r.at, i < len(page)-1)); err != nil {
				return err
			}
		}
		if len(page) < pageSize {
			r.at = Cursor{delivered: to}
			return nil
		}
	}
}

// wait waits for a time, or until a channel is closed, unless the reader has to end.
func (r *reader) wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-wake:
	case <-timer.C:
	case <-r.feed.poller.Stopping():
		return bucketgen.ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
