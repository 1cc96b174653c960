package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry"
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
	slots    chan struct{} // holds a token for every delivery that is leased
	finished chan delivery

	mu      sync.Mutex
	current map[int64]int64 // leased deliveries and their contacts
	away    time.Duration   // how long the target is left alone, because it was away the last time
	until   time.Time       // when that is over
}

// subscriber is who gets the deliveries of a subscription.
type subscriber struct {
	name        string
	maxAttempts int
	call        HandlerFunc // of a handler
}

// delivery is a leased delivery, and what came of it.
type delivery struct {
	row  db.DeliveriesClaimRow
	err  error
	away bool // it was not made, because its target was away
}

// awayMost is how long a target is left alone at most that was away.
const awayMost = 30 * time.Second

func newCourier(e *Engine, lease pgtype.UUID, size int) *courier {
	return &courier{
		engine: e, lease: lease, subscribers: map[int32]subscriber{}, current: map[int64]int64{},
		wake: make(chan struct{}, 1), quit: make(chan struct{}),
		slots: make(chan struct{}, size), finished: make(chan delivery, size),
	}
}

// subscribe makes a subscription known to the database: to a bucket, or to all.
func (c *courier) subscribe(ctx context.Context, s subscriber, bucket registry.Index, params db.SubscriptionsRegisterParams) error {
	if bucket != allBuckets {
		no := c.engine.store.Bucket(bucket)
		params.BucketNo = &no
	}
	no, err := c.engine.store.Queries(c.engine.pool).SubscriptionsRegister(ctx, params)
	if err != nil {
		return err
	}
	c.subscribers[no] = s
	c.subscriptions = append(c.subscriptions, no)
	return nil
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
	if rest := c.rest(); rest > 0 {
		return c.wait(rest, nil)
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
	return c.wait(wait, c.wake)
}

// wait returns after a time, or when it is woken. It returns false when the courier is stopped.
func (c *courier) wait(d time.Duration, wake <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-c.quit:
		return false
	}
	return true
}

// rest returns how long the target is still left alone.
func (c *courier) rest() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Until(c.until)
}

// free returns how many deliveries may be leased. A forwarder takes no more before it is done with what it has.
func (c *courier) free() int {
	if c.forwarder != nil && len(c.slots) > 0 {
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
	deployed, err := c.engine.store.Refresh(ctx, c.engine.pool) // so that what is paused is known at once
	if err != nil {
		return 0, err
	}
	now := c.engine.config.Now()
	rows, err := c.engine.store.Queries(c.engine.pool).DeliveriesClaim(ctx, db.DeliveriesClaimParams{
		SubscriptionNos: c.subscriptions, BucketNos: c.moving(deployed.Paused), Now: store.Timestamp(now), Until: store.Timestamp(now.Add(c.engine.config.Lease)),
		Lease: c.lease, Most: int32(free),
	})
	if err != nil {
		return 0, fmt.Errorf("lease deliveries: %w", err)
	}
	rows = slices.DeleteFunc(rows, func(row db.DeliveriesClaimRow) bool {
		return !c.begin(row) // its lease ran out while it was being made; that goes on
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
				c.finished <- delivery{row: row, err: c.subscribers[row.SubscriptionNo].run(ctx, c.transition(row))}
			})
		}
	}
	return len(rows), nil
}

// moving returns the numbers of the registry's buckets that are not paused.
func (c *courier) moving(paused []int32) []int32 {
	var all []int32
	for b := range c.engine.registry.Buckets {
		if no := c.engine.store.Bucket(registry.Index(b)); !slices.Contains(paused, no) {
			all = append(all, no)
		}
	}
	return all
}

// transition returns what a delivery is about. Only buckets that the registry has are asked for, so it is known.
func (c *courier) transition(row db.DeliveriesClaimRow) Transition {
	t, _ := c.engine.logged(row.BucketgenTransition, row.UserID, row.Email)
	t.Replayed = row.Replayed
	return t
}

// forward makes deliveries by one call.
func (c *courier) forward(ctx context.Context, rows []db.DeliveriesClaimRow) {
	batch := make([]Delivery, len(rows))
	for i, row := range rows {
		batch[i] = Delivery{Subscription: c.subscribers[row.SubscriptionNo].name, Transition: c.transition(row), Attempt: int(row.Attempts)}
	}
	errs, away := c.forwarder.run(ctx, batch)
	c.leave(ctx, away)
	for i, row := range rows {
		d := delivery{row: row, err: away, away: away != nil}
		if errs != nil {
			d.err = errs[i]
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
		c.away = min(max(2*c.away, minRetry), awayMost)
		c.until = time.Now().Add(jittered(c.away))
	}
	c.mu.Unlock()
	switch {
	case away != nil && before == 0 && ctx.Err() == nil:
		c.engine.log.WarnContext(ctx, "transitions cannot be forwarded; they wait in the outbox until they can", "forwarder", c.forwarder.Name, "error", away)
	case away == nil && before > 0:
		c.engine.log.InfoContext(ctx, "transitions are forwarded again", "forwarder", c.forwarder.Name)
	}
}

// begin notes that a delivery is being made, unless it is already.
func (c *courier) begin(row db.DeliveriesClaimRow) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, running := c.current[row.ID]; running {
		return false
	}
	c.current[row.ID] = row.ContactID
	return true
}

// settleLoop writes down what came of deliveries: of all that have finished since it last did so, at once.
func (c *courier) settleLoop(ctx context.Context) {
	for first := range c.finished {
		batch := []delivery{first}
		for more := true; more; {
			select {
			case d, open := <-c.finished:
				if more = open; open {
					batch = append(batch, d)
				}
			default:
				more = false
			}
		}
		c.settleAll(ctx, batch)
		c.poke()
	}
}

func (c *courier) settleAll(ctx context.Context, batch []delivery) {
	for wait := minRetry; ; wait = min(2*wait, maxRetry) {
		err := c.settle(ctx, batch)
		if err == nil || ctx.Err() != nil {
			break // what is not settled is delivered again
		}
		c.engine.log.ErrorContext(ctx, "the outbox cannot be written, trying again", "error", err)
		if pause(ctx, wait) != nil {
			break
		}
	}
	c.mu.Lock()
	for _, d := range batch {
		delete(c.current, d.row.ID)
	}
	c.mu.Unlock()
	for range batch {
		<-c.slots
	}
}

func (c *courier) settle(ctx context.Context, batch []delivery) error {
	done := db.DeliveriesDoneParams{Lease: c.lease}
	failed := db.DeliveriesFailParams{Lease: c.lease}
	back := db.DeliveriesReturnParams{Lease: c.lease}
	for _, d := range batch {
		if d.away {
			back.ContactIds = append(back.ContactIds, d.row.ContactID)
			back.SubscriptionNos = append(back.SubscriptionNos, d.row.SubscriptionNo)
			back.BucketNos = append(back.BucketNos, d.row.BucketNo)
			back.Ids = append(back.Ids, d.row.ID)
			continue
		}
		if d.err == nil {
			done.ContactIds = append(done.ContactIds, d.row.ContactID)
			done.SubscriptionNos = append(done.SubscriptionNos, d.row.SubscriptionNo)
			done.BucketNos = append(done.BucketNos, d.row.BucketNo)
			done.Ids = append(done.Ids, d.row.ID)
			continue
		}
		state := "waiting"
		if int(d.row.Attempts) >= c.subscribers[d.row.SubscriptionNo].maxAttempts || errors.Is(d.err, Cancel) {
			state = "dead"
		}
		failed.ContactIds = append(failed.ContactIds, d.row.ContactID)
		failed.SubscriptionNos = append(failed.SubscriptionNos, d.row.SubscriptionNo)
		failed.BucketNos = append(failed.BucketNos, d.row.BucketNo)
		failed.Ids = append(failed.Ids, d.row.ID)
		failed.States = append(failed.States, state)
		failed.NextAt = append(failed.NextAt, store.Timestamp(c.engine.config.Now().Add(backoff(int(d.row.Attempts)))))
		failed.Errors = append(failed.Errors, storable(d.err))
	}
	q := c.engine.store.Queries(c.engine.pool)
	if len(done.Ids) > 0 {
		if err := q.DeliveriesDone(ctx, done); err != nil {
			return fmt.Errorf("settle deliveries: %w", err)
		}
	}
	if len(failed.Ids) > 0 {
		if err := q.DeliveriesFail(ctx, failed); err != nil {
			return fmt.Errorf("put deliveries off: %w", err)
		}
	}
	if len(back.Ids) > 0 {
		if err := q.DeliveriesReturn(ctx, back); err != nil {
			return fmt.Errorf("give deliveries back: %w", err)
		}
	}
	c.count(done, failed)
	return nil
}

func (c *courier) count(done db.DeliveriesDoneParams, failed db.DeliveriesFailParams) {
	c.engine.stats.delivered.Add(int64(len(done.Ids)))
	c.engine.stats.failed.Add(int64(len(failed.Ids)))
	for i, state := range failed.States {
		if state == "dead" {
			c.engine.stats.dead.Add(1)
			c.engine.log.Error("a transition was given up; ReplayDeadLetters delivers it again", "delivery", failed.Ids[i], "error", failed.Errors[i])
		}
	}
}

// keepLoop keeps the leases of deliveries that take longer.
func (c *courier) keepLoop(ctx context.Context) {
	every := c.engine.config.Lease / 3
	for pause(ctx, every) == nil {
		keep := db.DeliveriesExtendParams{Lease: c.lease, Until: store.Timestamp(c.engine.config.Now().Add(c.engine.config.Lease))}
		c.mu.Lock()
		for id, contact := range c.current {
			keep.Ids, keep.ContactIds = append(keep.Ids, id), append(keep.ContactIds, contact)
		}
		c.mu.Unlock()
		if len(keep.Ids) == 0 {
			continue
		}
		if err := c.engine.store.Queries(c.engine.pool).DeliveriesExtend(ctx, keep); err != nil && ctx.Err() == nil {
			c.engine.log.ErrorContext(ctx, "leases of deliveries cannot be kept; others may deliver them, too", "error", err)
		}
	}
}

func (c *courier) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *courier) stop() { c.once.Do(func() { close(c.quit) }) }
