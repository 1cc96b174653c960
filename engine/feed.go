package engine

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/feed"
	"github.com/bucketgen/bucketgen/registry"
)

// FeedOptions say what a feed delivers.
type FeedOptions struct {
	// After is where the feed continues. Defaults to now.
	After Cursor

	// Buckets are those whose transitions are delivered. Defaults to all, also those that the
	// engine's registry does not have.
	Buckets []registry.BucketRef

	// Notices asks for the notices of merges, too, whatever Buckets are. Notices of erasures only
	// go to forwarders: they are not kept. Defaults to false.
	Notices bool

	// Beat is the longest time without an item: while there are no transitions, the feed delivers
	// its cursor. Defaults to 15 s.
	Beat time.Duration

	// Pace is how long transitions may wait so that several come together, for consumers such as a
	// page that is drawn some times a second. The engine polls the database as often as its most
	// demanding feed needs. At most a minute. Defaults to 0: they come as soon as they can.
	Pace time.Duration
}

// FeedItem is what a feed delivers: a transition, a notice, or only how far the feed is.
type FeedItem struct {
	// Transition is what happened. Nil: nothing for a while, of what the feed delivers, or a
	// notice.
	Transition *Transition

	// Notice is what happened to the ids of a person. Nil: no notice.
	Notice *Notice

	// Cursor is where a feed continues after this item.
	Cursor Cursor

	// More says that another item follows at once, so that a consumer may handle several together.
	More bool

	item feed.Item
}

// JSON returns the transition or the notice as JSON. Feeds of the same transition share the work,
// so the result is not to be changed.
func (i *FeedItem) JSON() ([]byte, error) {
	text, err := i.item.JSON()
	if err != nil {
		return nil, fmt.Errorf("feed: write a transition: %w", err)
	}
	return text, nil
}

// Feed goes through transitions as they are committed, by any process, for as long as ctx lasts: a
// few milliseconds behind those of engines that send notifications, and Config.FeedPoll at most
// behind all others. Each is delivered once: none is skipped, however late its transaction commits,
// and whatever transactions other programs leave open. Suppressed transitions are left out, as from
// the outbox.
//
// Transitions of a user come in the order in which they happened. Those of different users come in
// the order in which they were logged, but those that are committed late come late.
//
// The first item has no transition, only the cursor with which the feed begins. If the consumer is
// slow, the feed reads what it has missed from the database, and keeps nothing for it. The feed
// ends with an error: that of ctx, [ErrStopped] when the engine stops, [ErrUnknownBucket], or
// [ErrCursor]. While the database is away it waits.
//
// All feeds of an engine share one connection, which is opened when the first begins and closed
// when the last has ended.
func (e *Engine) Feed(ctx context.Context, o FeedOptions) iter.Seq2[FeedItem, error] {
	return func(yield func(FeedItem, error) bool) {
		options, err := e.feedOptions(o)
		if err != nil {
			yield(FeedItem{}, fmt.Errorf("feed: %w", err))
			return
		}
		for item, err := range e.feed.Read(ctx, options) {
			if err != nil {
				err = fmt.Errorf("feed: %w", err)
			}
			if !yield(FeedItem{item.Transition, item.Notice, Cursor{item.Cursor}, item.More, item}, err) {
				return
			}
		}
	}
}

func (e *Engine) feedOptions(o FeedOptions) (feed.Options, error) {
	if err := e.ready(); err != nil {
		return feed.Options{}, err
	}
	options := feed.Options{After: o.After.at, Notices: o.Notices, Beat: o.Beat, Pace: o.Pace}
	def(&options.Beat, 15*time.Second)
	if o.Beat < 0 {
		return feed.Options{}, fmt.Errorf("FeedOptions.Beat is %s; it must be positive, or zero for the default", o.Beat)
	}
	if o.Pace < 0 || o.Pace > time.Minute {
		return feed.Options{}, fmt.Errorf("FeedOptions.Pace is %s; it must be from 0 to a minute", o.Pace)
	}
	for _, ref := range o.Buckets {
		b, err := e.bucket(ref)
		if err != nil {
			return feed.Options{}, err
		}
		options.BucketNos = append(options.BucketNos, e.store.Bucket(b))
	}
	return options, nil
}

// Live is how many transitions were committed lately.
type Live = bucketgen.Live

// Live adds up the announced transitions of the last minute, by any process, as this engine sees
// them: by second and kind, and by bucket and kind. A bucket limits the figures to its own; nil is
// all. The engine polls the log for 30 seconds after a call, as for a [Engine.Feed], so the figures
// begin with the first call. At more than 10,000 transitions in that time they begin later.
func (g *Inspect) Live(ctx context.Context, bucket registry.BucketRef) (Live, error) {
	e, id := (*Engine)(g), ""
	err := e.ready()
	if bucket != nil && err == nil {
		id = bucket.ID()
		_, err = e.bucket(bucket)
	}
	var all Live
	if err == nil {
		all, err = e.feed.Live(ctx, id)
	}
	if err != nil {
		return Live{}, fmt.Errorf("live: %w", err)
	}
	return all, nil
}

// Cursor is how far a feed has read. It is valid in the database that it comes from, for any engine
// there, and can be kept as text. The zero value is no position. Cursors are values and never
// change.
type Cursor struct{ at feed.Cursor }

// IsZero reports whether the cursor is no position.
func (c Cursor) IsZero() bool { return c.at.IsZero() }

// String returns the cursor as text: digits, and some of ".,~". It is long where many transactions
// were under way.
func (c Cursor) String() string { return c.at.String() }

// ParseCursor reads a cursor as String writes it. An empty text is the zero value.
func ParseCursor(text string) (Cursor, error) {
	at, err := feed.ParseCursor(text)
	return Cursor{at}, err
}

// Invalidation is what was committed between two polls of the database.
type Invalidation struct {
	// Began is when the second poll began, by the system clock: whatever was committed before is in
	// this one or an earlier one.
	Began time.Time

	// Users are those whose memberships may have changed: they entered or left a bucket, were
	// deleted or restored.
	Users []string

	// Buckets are the ids of the buckets that users entered or left.
	Buckets []string

	// Hidden says that some of the users were deleted or restored, which changes all their buckets.
	Hidden bool

	// Lost says that more has happened than is known here: all that is cached of any user may be
	// wrong.
	Lost bool
}

// Invalidations goes through polls of the database, from now on, for as long as ctx lasts: one
// whenever something happens, and one every Config.FeedPoll. It is for caches of memberships, which
// have to drop what has changed, and so has suppressed transitions, too. To a consumer that is slow
// several come as one. While the database is away, nothing comes. It ends with the error of ctx, or
// with [ErrStopped].
func (e *Engine) Invalidations(ctx context.Context) iter.Seq2[Invalidation, error] {
	return func(yield func(Invalidation, error) bool) {
		if err := e.ready(); err != nil {
			yield(Invalidation{}, fmt.Errorf("invalidations: %w", err))
			return
		}
		for one, err := range e.feed.Invalidations(ctx) {
			if err != nil {
				err = fmt.Errorf("invalidations: %w", err)
			}
			if !yield(Invalidation(one), err) {
				return
			}
		}
	}
}
