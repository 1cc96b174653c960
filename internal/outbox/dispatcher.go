package outbox

import (
	"context"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/retry"
)

// Dispatcher leases deliveries of some subscriptions, makes the calls without holding a connection,
// and completes the deliveries. A handler is called with one delivery, several handlers at once; a
// forwarder is called with many deliveries, one call after the other.
//
// One goroutine runs the exchanges with the database: it completes finished deliveries and leases
// further ones in one transaction. Meanwhile calls go on with prefetched deliveries. The length of
// the prefetch follows the pace of the calls, so that no lease waits long.
type Dispatcher struct {
	outbox        *Outbox
	deps          *Deps
	subscribers   map[int32]Subscriber // by the number of the subscription
	subscriptions []int32
	forwarder     *Forwarder // nil for the dispatcher of the handlers
	size          int        // how many handlers run at once, or how many deliveries a call of the forwarder takes

	wake   chan struct{}
	quit   chan struct{}
	once   sync.Once
	cancel context.CancelFunc // cancel stops the calls in flight; nil while the dispatcher is stopped
	ended  chan struct{}
	calls  sync.WaitGroup

	// These belong to the goroutine of the exchanges.
	more      bool          // more says that a claim may find deliveries now
	stale     bool          // stale says that the last claim used an old deployment
	hungry    map[int32]int // hungry is how much the next claim may read of each subscription that the last did not exhaust
	completed time.Time     // completed is when deliveries were completed last

	mu       sync.Mutex
	current  map[int64]*delivery // current holds leased deliveries until they are completed
	queue    []*delivery         // queue holds prefetched deliveries
	finished []*delivery         // finished holds deliveries for the next exchange
	calling  int                 // calling counts the calls in flight
	stopping bool                // stopping says that no further call begins
	ahead    int                 // ahead is the length of the prefetch
	away     time.Duration       // away is the current backoff of a target that was away; 0 if it was not
	until    time.Time           // until is when that backoff ends
}

// delivery is a leased delivery with its outcome.
type delivery struct {
	row    db.DeliveriesClaimRow
	until  time.Time               // until is the earliest end of the lease
	begun  bool                    // begun says that it left the queue for a call
	cancel context.CancelCauseFunc // cancel ends its call; nil without one
	again  *db.DeliveriesClaimRow  // again is a second lease, taken meanwhile
	err    error                   // err is why the attempt failed
	back   bool                    // back says that no attempt was made and it returns to the outbox
	away   bool                    // away says that it returns because its target was away
}

// The backoff of a target that was away, without jitter.
const (
	minAway = time.Second
	maxAway = 30 * time.Second
)

const (
	maxClaim  = 256                   // the most deliveries of a claim; the query has the same bound
	maxAhead  = 512                   // the longest prefetch
	aheadSpan = 50 * time.Millisecond // how long the prefetch should keep the calls busy
)

// Words of the log.
const (
	component      = "outbox"
	exchangeFailed = "outbox exchange failed, retrying"
)

// NewDispatcher makes a dispatcher that is not part of the outbox yet. size is how many handlers
// run at once, or how many deliveries a call of the forwarder takes. f is nil for handlers.
func (o *Outbox) NewDispatcher(f *Forwarder, size int) *Dispatcher {
	return &Dispatcher{
		outbox: o, deps: &o.deps, forwarder: f, subscribers: map[int32]Subscriber{}, size: size,
		wake: make(chan struct{}, 1), quit: make(chan struct{}),
		more: true, hungry: map[int32]int{}, current: map[int64]*delivery{},
	}
}

// Start makes the dispatcher deliver in the background, unless deliveries are left to other
// processes.
func (c *Dispatcher) Start() {
	if c.deps.Off {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel, c.ended = cancel, make(chan struct{})
	c.outbox.running.Go(func() {
		defer close(c.ended)
		defer cancel()
		c.run(ctx)
	})
}

// run delivers until the dispatcher is stopped, and then waits for the calls in flight.
func (c *Dispatcher) run(ctx context.Context) {
	var keeper sync.WaitGroup
	keeping, stopKeeping := context.WithCancel(ctx)
	keeper.Go(func() { c.keepLoop(keeping) })
	for c.turn(ctx) {
	}
	c.drain(ctx)
	stopKeeping()
	keeper.Wait()
}

// turn runs an exchange, or waits if there is nothing to exchange. It returns false when the
// dispatcher is stopped.
func (c *Dispatcher) turn(ctx context.Context) bool {
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
	timer := time.NewTimer(c.deps.Poll)
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

// retry logs a failed exchange and waits before the next. It returns false when the dispatcher is
// stopped.
func (c *Dispatcher) retry(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	c.deps.Log.ErrorContext(ctx, exchangeFailed, "component", component, "retry_in", retry.Max, "reason", blame.Reason(err), "error", err)
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

// drain waits for the calls in flight and completes their deliveries, once the dispatcher is
// stopped. Prefetched deliveries return to the outbox.
func (c *Dispatcher) drain(ctx context.Context) {
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
				c.deps.Log.ErrorContext(ctx, exchangeFailed, "component", component, "retry_in", wait.Peek(), "reason", blame.Reason(err), "error", err)
			}
			if wait.Sleep(ctx) == nil {
				continue
			}
			<-over // deliveries that are not completed are delivered again
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

// next takes the finished deliveries, and returns how many may be leased: none during the backoff
// of a target that was away.
func (c *Dispatcher) next() (finished []*delivery, want int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	finished, c.finished = c.finished, nil
	switch {
	case c.stopping || c.deps.Now().Before(c.until):
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

// restore keeps deliveries for the next exchange, after one that failed.
func (c *Dispatcher) restore(batch []*delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished = append(batch, c.finished...)
}

// giveBack returns prefetched deliveries to the outbox. The caller holds the lock.
func (c *Dispatcher) giveBack(away bool) {
	for _, d := range c.queue {
		d.back, d.away = true, away
	}
	c.finished = append(c.finished, c.queue...)
	c.queue = nil
}

// now is the clock of leases in this process: the monotonic time of the machine, unless time is
// virtual.
func (c *Dispatcher) now() time.Time {
	if c.deps.VirtualTime {
		return c.deps.Now()
	}
	return time.Now()
}

func (c *Dispatcher) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *Dispatcher) stop() { c.once.Do(func() { close(c.quit) }) }

// End stops the dispatcher and waits for its calls. If ctx ends first, so do the calls.
func (c *Dispatcher) End(ctx context.Context) error {
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
