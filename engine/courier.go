package engine

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/retry"
)

// courier takes leases on deliveries of some subscriptions, makes them without holding anything in the database, and settles
// what came of it. Handlers are called with one delivery each, several at once; a forwarder with many, one call after the
// other.
//
// One goroutine exchanges with the outbox: what has finished for further leases, in one transaction. While it does, calls go on
// with what was leased ahead of them. How much that is goes by the pace of the calls, so that no lease waits long.
type courier struct {
	engine        *Engine
	lease         pgtype.UUID
	subscribers   map[int32]subscriber // by the number of the subscription
	subscriptions []int32
	forwarder     *Forwarder // nil: it is that of the handlers
	size          int        // how many handlers run at once, or how many deliveries a call of the forwarder takes

	wake   chan struct{}
	quit   chan struct{}
	once   sync.Once
	cancel context.CancelFunc // of its calls; nil: it does not run
	ended  chan struct{}
	calls  sync.WaitGroup

	// Of the exchanging goroutine:
	more    bool          // a claim may find something now
	stale   bool          // something was deployed of which the last claim did not know
	hungry  map[int32]int // how much the next claim may read of the subscriptions that the last has not exhausted
	settled time.Time     // when something was settled last

	mu       sync.Mutex
	current  map[int64]*delivery // leased deliveries, until they are settled
	queue    []*delivery         // those that wait to be made
	finished []*delivery         // those that wait to be settled
	calling  int                 // calls under way
	stopping bool                // no further calls are begun
	ahead    int                 // how many deliveries may wait to be made
	away     time.Duration       // how long the target is left alone, because it was away the last time
	until    time.Time           // when that is over
}

// delivery is a leased delivery, and what came of it.
type delivery struct {
	row    db.DeliveriesClaimRow
	until  time.Time               // the lease ends no earlier than this
	begun  bool                    // it left the queue to be made
	cancel context.CancelCauseFunc // of the call that makes it; nil: it is not being made
	again  *db.DeliveriesClaimRow  // it was leased once more meanwhile
	err    error
	back   bool // it was not made and goes back to the outbox
	away   bool // because its target was away
}

// How long a target is left alone that was away: the first time, and at most, both a little more so that not all come back
// together.
const (
	minAway = time.Second
	maxAway = 30 * time.Second
)

const (
	maxClaim  = 256                   // deliveries that one claim leases at most; the query says so, too
	maxAhead  = 512                   // deliveries that wait to be made at most
	aheadSpan = 50 * time.Millisecond // for how long calls should have enough to do
)

func newCourier(e *Engine, lease pgtype.UUID, size int) *courier {
	return &courier{
		engine: e, lease: lease, subscribers: map[int32]subscriber{}, size: size,
		wake: make(chan struct{}, 1), quit: make(chan struct{}),
		more: true, hungry: map[int32]int{}, current: map[int64]*delivery{},
	}
}

// start lets the courier deliver in the background, unless the engine leaves that to others.
func (c *courier) start() {
	if c.engine.config.NoDelivery {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel, c.ended = cancel, make(chan struct{})
	c.engine.others.Go(func() {
		defer close(c.ended)
		defer cancel()
		c.run(ctx)
	})
}

// run delivers until it is stopped, and then waits for the calls that run.
func (c *courier) run(ctx context.Context) {
	var keeper sync.WaitGroup
	keeping, stopKeeping := context.WithCancel(ctx)
	keeper.Go(func() { c.keepLoop(keeping) })
	for c.turn(ctx) {
	}
	c.drain(ctx)
	stopKeeping()
	keeper.Wait()
}

// turn exchanges what has finished for as many deliveries as can be made, or waits if there is nothing to exchange. It returns
// false when the courier is stopped.
func (c *courier) turn(ctx context.Context) bool {
	select {
	case <-c.quit:
		return false
	default:
	}
	batch, want := c.next()
	if len(batch) > 0 || want > 0 && c.more {
		err := c.exchange(ctx, batch, want)
		if err == nil {
			return true
		}
		return c.retry(ctx, err)
	}
	timer := time.NewTimer(c.engine.config.DeliveryPoll)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.wake:
	case <-c.quit:
		return false
	}
	c.more = true
	return true
}

// retry reports an exchange that failed and waits before the next. It returns false when the courier is stopped.
func (c *courier) retry(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	c.engine.log.ErrorContext(ctx, "outbox exchange failed, retrying", "error", err, "retry_in", retry.Max)
	timer := time.NewTimer(retry.Max)
	defer timer.Stop()
	select {
	case <-timer.C:
		c.more = true
		return true
	case <-c.quit:
		return false
	}
}

// drain waits for the calls that run and settles them, once the courier is stopped. What was not begun goes back to the outbox.
func (c *courier) drain(ctx context.Context) {
	c.mu.Lock()
	c.stopping = true
	c.giveBack(false)
	c.mu.Unlock()
	over := make(chan struct{})
	go func() {
		c.calls.Wait()
		close(over)
	}()
	var wait retry.Backoff
	for {
		batch, _ := c.next()
		if len(batch) > 0 {
			err := c.exchange(ctx, batch, 0)
			switch {
			case err == nil:
				wait.Reset()
				continue
			case ctx.Err() == nil:
				c.engine.log.ErrorContext(ctx, "outbox exchange failed, retrying", "error", err, "retry_in", wait.Peek())
			}
			if wait.Sleep(ctx) == nil {
				continue
			}
			<-over // what is not settled is delivered again
			return
		}
		select {
		case <-over:
			if batch, _ := c.next(); len(batch) == 0 {
				return
			} else if c.exchange(ctx, batch, 0) != nil && ctx.Err() != nil {
				return
			}
		case <-c.wake:
		}
	}
}

// next takes what has finished and returns it, and how many deliveries may be leased: none while the target of a forwarder is left
// alone.
func (c *courier) next() (finished []*delivery, want int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	finished, c.finished = c.finished, nil
	switch {
	case c.stopping || c.engine.Now().Before(c.until):
		return finished, 0
	case c.forwarder == nil:
		want = c.size - c.calling + c.ahead - len(c.queue)
	case c.calling > 0:
		want = c.ahead - len(c.queue)
	default:
		want = c.size + c.ahead - len(c.queue)
	}
	return finished, min(max(want, 0), maxClaim)
}

// restore puts deliveries back that could not be settled, for the next try.
func (c *courier) restore(batch []*delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished = append(batch, c.finished...)
}

// giveBack gives the deliveries back that were not begun. The caller holds the lock.
func (c *courier) giveBack(away bool) {
	for _, d := range c.queue {
		d.back, d.away = true, away
	}
	c.finished = append(c.finished, c.queue...)
	c.queue = nil
}

// now is the time that leases go by in this process: the time of its machine, which does not jump, unless time is virtual.
func (c *courier) now() time.Time {
	if c.engine.config.VirtualTime {
		return c.engine.Now()
	}
	return time.Now()
}

func (c *courier) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *courier) stop() { c.once.Do(func() { close(c.quit) }) }

// end stops a courier and waits for its calls. If ctx ends first, so do those.
func (c *courier) end(ctx context.Context) error {
	c.stop()
	if c.ended == nil {
		return nil
	}
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		c.cancel()
		<-c.ended
		return ctx.Err()
	}
}
