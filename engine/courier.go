package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"go.opentelemetry.io/otel/attribute"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// courier takes leases on deliveries of some subscriptions, makes them without holding anything in the database, and settles
// what came of it. Handlers are called with one delivery each, several at once; a forwarder with many, one call after the
// other.
type courier struct {
	engine        *Engine
	lease         pgtype.UUID
	subscribers   map[int32]subscriber // by the number of the subscription
	subscriptions []int32
	forwarder     *Forwarder // nil: it is that of the handlers

	wake     chan struct{}
	quit     chan struct{}
	once     sync.Once
	cancel   context.CancelFunc // of its calls; nil: it does not run
	ended    chan struct{}
	slots    chan struct{} // holds a token for every delivery that is leased
	finished chan delivery

	mu      sync.Mutex
	current map[int64]int64 // leased deliveries and their contacts
	again   []delivery      // those that were leased once more while they were being made
	away    time.Duration   // how long the target is left alone, because it was away the last time
	until   time.Time       // when that is over
}

// delivery is a leased delivery, and what came of it.
type delivery struct {
	row  db.DeliveriesClaimRow
	err  error
	away bool // it was not made, because its target was away
}

// How long a target is left alone that was away: the first time, and at most, both a little more so that not all come back
// together.
const (
	minAway = time.Second
	maxAway = 30 * time.Second
)

func newCourier(e *Engine, lease pgtype.UUID, size int) *courier {
	return &courier{
		engine: e, lease: lease, subscribers: map[int32]subscriber{}, current: map[int64]int64{},
		wake: make(chan struct{}, 1), quit: make(chan struct{}),
		slots: make(chan struct{}, size), finished: make(chan delivery, size),
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
	var settler sync.WaitGroup
	settler.Go(func() { c.settleLoop(ctx) })
	var keeper sync.WaitGroup
	keeping, stopKeeping := context.WithCancel(ctx)
	keeper.Go(func() { c.keepLoop(keeping) })
	var calls sync.WaitGroup
	for c.turn(ctx, &calls) {
	}
	calls.Wait()
	close(c.finished)
	settler.Wait()
	stopKeeping()
	keeper.Wait()
}

// turn leases and starts as many deliveries as there are slots, or waits if there are none. It returns false when the
// courier is stopped.
func (c *courier) turn(ctx context.Context, calls *sync.WaitGroup) bool {
	select {
	case <-c.quit:
		return false
	default:
	}
	wait := c.engine.config.DeliveryPoll
	n, err := c.claim(ctx, calls)
	switch {
	case err != nil && ctx.Err() != nil:
		return false
	case err != nil:
		c.engine.log.ErrorContext(ctx, "the outbox cannot be read, trying again", "error", err)
		wait = maxRetry
	case n > 0:
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.wake:
	case <-c.quit:
		return false
	}
	return true
}

// free returns how many deliveries may be leased. A forwarder takes no more before it is done with what it has, and none
// while its target is left alone.
func (c *courier) free() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forwarder != nil && len(c.slots) > 0 || c.engine.config.Now().Before(c.until) {
		return 0
	}
	return cap(c.slots) - len(c.slots)
}

// claim leases deliveries for the free slots and starts to make them.
func (c *courier) claim(ctx context.Context, calls *sync.WaitGroup) (int, error) {
	free := c.free()
	if free == 0 {
		return 0, nil
	}
	deployed, err := c.engine.store.Refresh(ctx, c.engine.pool)
	if err != nil {
		return 0, err
	}
	now := c.engine.config.Now()
	rows, err := c.engine.store.Queries(c.engine.pool).DeliveriesClaim(ctx, db.DeliveriesClaimParams{
		SubscriptionNos: c.subscriptions, GenerationNo: deployed.No, PausedNos: deployed.Paused,
		Now: store.Timestamp(now), Until: store.Timestamp(now.Add(c.engine.config.Lease)), Lease: c.lease, Most: int32(free),
	})
	if err != nil {
		return 0, fmt.Errorf("lease deliveries: %w", err)
	}
	rows = slices.DeleteFunc(rows, func(row db.DeliveriesClaimRow) bool {
		return !c.begin(row) // what is being made goes on
	})
	for range rows {
		c.slots <- struct{}{}
	}
	switch {
	case c.forwarder != nil && len(rows) > 0:
		calls.Go(func() { c.forward(ctx, rows) })
	case c.forwarder == nil:
		for _, row := range rows {
			calls.Go(func() {
				c.finished <- delivery{row: row, err: c.call(ctx, row)}
			})
		}
	}
	return len(rows), nil
}

// call calls a handler with a delivery.
func (c *courier) call(ctx context.Context, row db.DeliveriesClaimRow) error {
	s, t := c.subscribers[row.SubscriptionNo], transitionOf(row)
	ctx, end := c.engine.telemetry.begin(ctx, "deliver")
	err := s.run(ctx, t)
	end(err, attribute.String("bucketgen.subscription", s.name), attribute.String("bucketgen.bucket", t.BucketID), attribute.String("bucketgen.key", t.Key()))
	return err
}

// transitionOf returns what a delivery is about: of any bucket, since a subscription to all of them is to those, too, that other
// processes know, or nobody any more.
func transitionOf(row db.DeliveriesClaimRow) Transition {
	t := recorded(row.BucketgenTransition, row.BucketID, row.BucketName, row.UserID, row.Email)
	t.Replayed = row.Replayed
	return t
}

// forward makes deliveries by one call.
func (c *courier) forward(ctx context.Context, rows []db.DeliveriesClaimRow) {
	batch := make([]Delivery, len(rows))
	for i, row := range rows {
		batch[i] = Delivery{Subscription: c.subscribers[row.SubscriptionNo].name, Transition: transitionOf(row), Attempt: int(row.Attempts)}
	}
	ctx, end := c.engine.telemetry.begin(ctx, "forward")
	errs, away := c.forwarder.run(ctx, batch)
	end(errors.Join(append(slices.Clip(errs), away)...), attribute.String("bucketgen.forwarder", c.forwarder.Name), attribute.Int("bucketgen.deliveries", len(batch)))
	c.leave(ctx, away)
	for i, row := range rows {
		d := delivery{row: row, away: away != nil}
		if errs != nil {
			d.err = errs[i]
			d.away = d.away && d.err != nil
		}
		c.finished <- d
	}
}

// leave leaves the target alone for a while if it was away: longer each time.
func (c *courier) leave(ctx context.Context, away error) {
	c.mu.Lock()
	before := c.away
	if away == nil {
		c.away, c.until = 0, time.Time{}
	} else {
		c.away = min(max(2*c.away, minAway), maxAway)
		c.until = c.engine.config.Now().Add(jittered(c.away))
	}
	c.mu.Unlock()
	switch {
	case away != nil && before == 0 && ctx.Err() == nil:
		c.engine.log.WarnContext(ctx, "transitions cannot be forwarded; they wait in the outbox until they can", "forwarder", c.forwarder.Name, "error", away)
	case away == nil && before > 0:
		c.engine.log.InfoContext(ctx, "transitions are forwarded again", "forwarder", c.forwarder.Name)
	}
}

// begin notes that a delivery is being made, unless it is already: then its lease ran out, or its user was merged into another.
func (c *courier) begin(row db.DeliveriesClaimRow) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, running := c.current[row.ID]; running {
		c.again = append(c.again, delivery{row: row})
		return false
	}
	c.current[row.ID] = row.ContactID
	return true
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
