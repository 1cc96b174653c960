package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/registry"
)

// FeedOptions say what a feed is to tell.
type FeedOptions struct {
	// After is how far somebody has read before: the feed goes on from there. Defaults to now.
	After Cursor

	// Buckets are those of which transitions are told. Defaults to all, those too that the engine's registry does not have.
	Buckets []registry.BucketRef

	// Beat is how often the feed at least gives something, a place to go on from, while there is nothing to tell. Defaults to
	// 15 s.
	Beat time.Duration
}

// FeedItem is what a feed gives: a transition, or only how far the feed is.
type FeedItem struct {
	// Transition is what happened. Nil: nothing for a while, as far as the feed is to tell.
	Transition *Transition

	// Cursor is from where a feed goes on after this item.
	Cursor Cursor
}

// Feed goes through transitions as they are committed, by whichever process, for as long as ctx lasts: a few milliseconds
// behind those of engines that say so, and Config.FeedPoll at most behind all others. Each is told once: none is skipped,
// however late its transaction commits, and whatever transactions other programs leave open. What is suppressed is left out,
// as from the outbox.
//
// Transitions of a user come in the order in which they happened. Those of different users come in the order in which they
// were logged, but those that are committed late come late.
//
// The first item has no transition: it says that the feed has begun, and where. If the consumer is slow, the feed reads what
// it has missed from the database, and keeps nothing for it. The feed ends with an error: that of ctx, [ErrStopped] when the
// engine stops, [ErrUnknownBucket], or [ErrCursor]. While the database is away it waits.
//
// All feeds of an engine share one connection, which is opened when the first begins and closed when the last has ended.
func (e *Engine) Feed(ctx context.Context, o FeedOptions) iter.Seq2[FeedItem, error] {
	return func(yield func(FeedItem, error) bool) {
		r, err := e.newReader(o)
		if err == nil {
			err = r.run(ctx, yield)
		}
		if err != nil {
			yield(FeedItem{}, fmt.Errorf("feed: %w", err))
		}
	}
}

// reader is one who goes through a feed.
type reader struct {
	engine *Engine
	beat   time.Duration
	nos    []int32 // of the buckets; nil: all
	at     Cursor
	no     int64     // of the last round that was told
	gave   time.Time // when the last item was given
}

func (e *Engine) newReader(o FeedOptions) (*reader, error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	r := &reader{engine: e, at: o.After, beat: o.Beat}
	def(&r.beat, 15*time.Second)
	if r.beat < 0 {
		return nil, fmt.Errorf("FeedOptions.Beat is %s; it must be positive, or zero for the default", o.Beat)
	}
	for _, ref := range o.Buckets {
		b, err := e.bucket(ref)
		if err != nil {
			return nil, err
		}
		r.nos = append(r.nos, e.store.Bucket(b))
	}
	return r, nil
}

// errEnough says that the consumer wants no more.
var errEnough = errors.New("enough")

func (r *reader) run(ctx context.Context, yield func(FeedItem, error) bool) error {
	give := func(item FeedItem) error {
		r.gave = time.Now()
		if !yield(item, nil) {
			return errEnough
		}
		return nil
	}
	f := r.engine.feed
	leave, err := f.join()
	if err != nil {
		return err
	}
	defer leave()
	err = r.begin(ctx, give)
	for err == nil {
		err = r.turn(ctx, give)
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// begin goes on from the cursor, or from now.
func (r *reader) begin(ctx context.Context, give func(FeedItem) error) error {
	now, err := r.engine.feed.fresh(ctx)
	if err != nil {
		return err
	}
	if r.at.IsZero() {
		r.at, r.no = Cursor{told: now.mark}, now.no
	}
	if !r.at.within(now) {
		return ErrCursor
	}
	if err := give(FeedItem{Cursor: r.at}); err != nil {
		return err
	}
	return r.catchUp(ctx, now, give)
}

// turn tells the rounds that follow, or waits for some.
func (r *reader) turn(ctx context.Context, give func(FeedItem) error) error {
	f := r.engine.feed
	rounds, now, remembered := f.since(r.no)
	switch {
	case !remembered:
		return r.catchUp(ctx, now, give)
	case len(rounds) > 0:
		for _, round := range rounds {
			if err := r.tell(round, give); err != nil {
				return err
			}
		}
	default:
		r.at = Cursor{told: now.mark.after(r.at.told)}
	}
	left := r.beat - time.Since(r.gave) // also if all that happens is nothing that is to be told
	if left <= 0 {
		return give(FeedItem{Cursor: r.at})
	}
	if len(rounds) > 0 {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-now.next:
	case <-timer.C:
	case <-f.quit:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// tell tells what happened in a round.
func (r *reader) tell(round *told, give func(FeedItem) error) error {
	var all []entry // copies: consumers may do with them what they like
	for _, one := range round.entries {
		if !one.Suppressed && (r.nos == nil || slices.Contains(r.nos, one.bucket)) {
			all = append(all, one)
		}
	}
	told := r.at.told
	r.at, r.no = Cursor{told: round.to.after(told)}, round.no
	for i := range all {
		at := r.at
		if i < len(all)-1 {
			at = Cursor{told, round.to, all[i].id}
		}
		if err := give(FeedItem{&all[i].Transition, at}); err != nil {
			return err
		}
	}
	return nil
}

// catchUp tells from the database what happened up to now, page by page.
func (r *reader) catchUp(ctx context.Context, now sight, give func(FeedItem) error) error {
	if !r.at.within(now) { // the server has less than it had
		return ErrCursor
	}
	if r.at.to.from != 0 { // the round in the midst of which the cursor is
		if err := r.read(ctx, r.at.to, give); err != nil {
			return err
		}
	}
	if err := r.read(ctx, now.mark.after(r.at.told), give); err != nil {
		return err
	}
	r.no = now.no
	return nil
}

// read tells what can be seen at a mark and was not told.
func (r *reader) read(ctx context.Context, to mark, give func(FeedItem) error) error {
	if !to.news(r.at.told) {
		return nil
	}
	var wait retry.Backoff
	for {
		page, err := r.engine.between(ctx, r.engine.pool, r.at.told, to, r.at.place, r.nos, false)
		switch {
		case err == nil:
			wait.Reset()
		case !Transient(err) || !blame.Known(err):
			return err
		default:
			if err := r.pause(ctx, wait.Next()); err != nil {
				return err
			}
			continue
		}
		for i := range page {
			r.at = Cursor{r.at.told, to, page[i].id}
			if i == len(page)-1 && len(page) < feedPage {
				r.at = Cursor{told: to}
			}
			if err := give(FeedItem{&page[i].Transition, r.at}); err != nil {
				return err
			}
		}
		if len(page) < feedPage {
			r.at = Cursor{told: to}
			return nil
		}
	}
}

// pause is as the function, unless the engine stops.
func (r *reader) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-r.engine.feed.quit:
		return ErrStopped
	}
}
