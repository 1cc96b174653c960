package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// outbox delivers transitions to the handlers of this process. It takes leases on deliveries, calls handlers without
// holding anything in the database, and settles what came of it.
type outbox struct {
	engine        *Engine
	handlers      map[int32]*handler // by the number of the subscription
	subscriptions []int32
	lease         pgtype.UUID // of this process

	wake     chan struct{}
	quit     chan struct{}
	once     sync.Once
	slots    chan struct{} // holds a token for every delivery that is leased
	finished chan delivery

	mu      sync.Mutex
	current map[int64]int64 // leased deliveries and their contacts
}

// delivery is a leased delivery, and what came of it.
type delivery struct {
	row db.DeliveriesClaimRow
	err error
}

// newOutbox makes the handlers' subscriptions known to the database, so that from now on transitions are kept for them.
func (e *Engine) newOutbox(ctx context.Context) (*outbox, error) {
	o := &outbox{
		engine: e, handlers: map[int32]*handler{}, current: map[int64]int64{},
		wake: make(chan struct{}, 1), quit: make(chan struct{}),
		slots: make(chan struct{}, e.config.DeliveryWorkers), finished: make(chan delivery, e.config.DeliveryWorkers),
	}
	for i := range o.lease.Bytes {
		o.lease.Bytes[i] = byte(rand.IntN(256)) //nolint:gosec // it tells processes apart, it is no secret
	}
	o.lease.Valid = true
	for i := range e.handlers {
		h := &e.handlers[i]
		bucket := e.store.Bucket(h.bucket)
		h.subscription.BucketNo = &bucket
		no, err := e.store.Queries(e.pool).SubscriptionsRegister(ctx, h.subscription)
		if err != nil {
			return nil, fmt.Errorf("register handler %q: %w", h.name, err)
		}
		o.handlers[no] = h
		o.subscriptions = append(o.subscriptions, no)
	}
	return o, nil
}

// run delivers until it is stopped, and then waits for the handlers that run.
func (o *outbox) run(ctx context.Context) {
	if len(o.handlers) == 0 {
		return
	}
	var settler sync.WaitGroup
	settler.Go(func() { o.settleLoop(ctx) })
	var keeper sync.WaitGroup
	keeping, stopKeeping := context.WithCancel(ctx)
	keeper.Go(func() { o.keepLoop(keeping) })
	var calls sync.WaitGroup
	for o.turn(ctx, &calls) {
	}
	calls.Wait()
	close(o.finished)
	settler.Wait()
	stopKeeping()
	keeper.Wait()
}

// turn leases and starts as many deliveries as there are slots, or waits if there are none. It returns false when the
// outbox is stopped.
func (o *outbox) turn(ctx context.Context, calls *sync.WaitGroup) bool {
	select {
	case <-o.quit:
		return false
	default:
	}
	wait := o.engine.config.DeliveryPoll
	n, err := o.claim(ctx, calls)
	switch {
	case err != nil && ctx.Err() != nil:
		return false
	case err != nil:
		o.engine.log.ErrorContext(ctx, "the outbox cannot be read, trying again", "error", err)
		wait = maxRetry
	case n > 0:
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-o.wake:
	case <-o.quit:
		return false
	}
	return true
}

// claim leases deliveries for the free slots and starts their handlers.
func (o *outbox) claim(ctx context.Context, calls *sync.WaitGroup) (int, error) {
	free := cap(o.slots) - len(o.slots)
	if free == 0 {
		return 0, nil
	}
	deployed, err := o.engine.store.Refresh(ctx, o.engine.pool) // so that what is paused is known at once
	if err != nil {
		return 0, err
	}
	now := o.engine.config.Now()
	rows, err := o.engine.store.Queries(o.engine.pool).DeliveriesClaim(ctx, db.DeliveriesClaimParams{
		SubscriptionNos: o.subscriptions, PausedNos: deployed.Paused, Now: store.Timestamp(now), Until: store.Timestamp(now.Add(o.engine.config.Lease)),
		Lease: o.lease, Most: int32(free),
	})
	if err != nil {
		return 0, fmt.Errorf("lease deliveries: %w", err)
	}
	for _, row := range rows {
		if !o.begin(row) {
			continue // its lease ran out while its handler ran; that goes on
		}
		o.slots <- struct{}{}
		calls.Go(func() {
			// Handlers are of buckets that the registry has, so the transition is known.
			t, _ := o.engine.logged(row.BucketgenTransition, row.UserID, row.Email)
			t.Replayed = row.Replayed
			o.finished <- delivery{row, o.handlers[row.SubscriptionNo].run(ctx, t)}
		})
	}
	return len(rows), nil
}

// begin notes that a delivery is being made, unless it is already.
func (o *outbox) begin(row db.DeliveriesClaimRow) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, running := o.current[row.ID]; running {
		return false
	}
	o.current[row.ID] = row.ContactID
	return true
}

// settleLoop writes down what came of deliveries: of all that have finished since it last did so, at once.
func (o *outbox) settleLoop(ctx context.Context) {
	for first := range o.finished {
		batch := []delivery{first}
		for more := true; more; {
			select {
			case d, open := <-o.finished:
				if more = open; open {
					batch = append(batch, d)
				}
			default:
				more = false
			}
		}
		o.settleAll(ctx, batch)
		o.poke()
	}
}

func (o *outbox) settleAll(ctx context.Context, batch []delivery) {
	for wait := minRetry; ; wait = min(2*wait, maxRetry) {
		err := o.settle(ctx, batch)
		if err == nil || ctx.Err() != nil {
			break // what is not settled is delivered again
		}
		o.engine.log.ErrorContext(ctx, "the outbox cannot be written, trying again", "error", err)
		if pause(ctx, wait) != nil {
			break
		}
	}
	o.mu.Lock()
	for _, d := range batch {
		delete(o.current, d.row.ID)
	}
	o.mu.Unlock()
	for range batch {
		<-o.slots
	}
}

func (o *outbox) settle(ctx context.Context, batch []delivery) error {
	done := db.DeliveriesDoneParams{Lease: o.lease}
	failed := db.DeliveriesFailParams{Lease: o.lease}
	for _, d := range batch {
		if d.err == nil {
			done.ContactIds = append(done.ContactIds, d.row.ContactID)
			done.SubscriptionNos = append(done.SubscriptionNos, d.row.SubscriptionNo)
			done.BucketNos = append(done.BucketNos, d.row.BucketNo)
			done.Ids = append(done.Ids, d.row.ID)
			continue
		}
		state := "waiting"
		if int(d.row.Attempts) >= o.handlers[d.row.SubscriptionNo].maxAttempts || errors.Is(d.err, Cancel) {
			state = "dead"
		}
		failed.ContactIds = append(failed.ContactIds, d.row.ContactID)
		failed.SubscriptionNos = append(failed.SubscriptionNos, d.row.SubscriptionNo)
		failed.BucketNos = append(failed.BucketNos, d.row.BucketNo)
		failed.Ids = append(failed.Ids, d.row.ID)
		failed.States = append(failed.States, state)
		failed.NextAt = append(failed.NextAt, store.Timestamp(o.engine.config.Now().Add(backoff(int(d.row.Attempts)))))
		failed.Errors = append(failed.Errors, storable(d.err))
	}
	q := o.engine.store.Queries(o.engine.pool)
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
	o.count(done, failed)
	return nil
}

func (o *outbox) count(done db.DeliveriesDoneParams, failed db.DeliveriesFailParams) {
	o.engine.stats.delivered.Add(int64(len(done.Ids)))
	o.engine.stats.failed.Add(int64(len(failed.Ids)))
	for i, state := range failed.States {
		if state == "dead" {
			o.engine.stats.dead.Add(1)
			o.engine.log.Error("a transition was given up; ReplayDeadLetters delivers it again", "delivery", failed.Ids[i], "error", failed.Errors[i])
		}
	}
}

// keepLoop keeps the leases of deliveries that take longer.
func (o *outbox) keepLoop(ctx context.Context) {
	every := o.engine.config.Lease / 3
	for pause(ctx, every) == nil {
		keep := db.DeliveriesExtendParams{Lease: o.lease, Until: store.Timestamp(o.engine.config.Now().Add(o.engine.config.Lease))}
		o.mu.Lock()
		for id, contact := range o.current {
			keep.Ids, keep.ContactIds = append(keep.Ids, id), append(keep.ContactIds, contact)
		}
		o.mu.Unlock()
		if len(keep.Ids) == 0 {
			continue
		}
		if err := o.engine.store.Queries(o.engine.pool).DeliveriesExtend(ctx, keep); err != nil && ctx.Err() == nil {
			o.engine.log.ErrorContext(ctx, "leases of deliveries cannot be kept; others may deliver them, too", "error", err)
		}
	}
}

func (o *outbox) poke() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outbox) stop() { o.once.Do(func() { close(o.quit) }) }

// backoff returns how long to wait after an attempt: from a second to an hour and a half, a little more or less so that
// what failed together does not come back together. Twenty attempts take about a day.
func backoff(attempt int) time.Duration {
	wait := time.Second << min(attempt-1, 12)
	return wait + time.Duration(rand.Int64N(int64(wait)/4)) //nolint:gosec // no secret
}
