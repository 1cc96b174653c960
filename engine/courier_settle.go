package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

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
	settled := map[int64]bool{}
	for _, d := range batch {
		delete(c.current, d.row.ID)
		settled[d.row.ID] = true
	}
	var again []delivery
	c.again = slices.DeleteFunc(c.again, func(d delivery) bool {
		if settled[d.row.ID] {
			again = append(again, d)
		}
		return settled[d.row.ID]
	})
	c.mu.Unlock()
	for range batch {
		<-c.slots
	}
	c.release(ctx, again)
}

// release gives back what was leased once more while it was being made, and was not settled by that: its user was merged into
// another meanwhile, by whose name it comes again.
func (c *courier) release(ctx context.Context, again []delivery) {
	if len(again) == 0 {
		return
	}
	q := c.engine.store.Queries(c.engine.pool)
	if err := q.DeliveriesReturn(ctx, db.DeliveriesReturnParams(c.named(again))); err != nil && ctx.Err() == nil {
		c.engine.log.WarnContext(ctx, "deliveries cannot be given back; they come again once their lease is over", "error", err)
	}
}

func (c *courier) settle(ctx context.Context, batch []delivery) error {
	var done, back, failed []delivery
	for _, d := range batch {
		switch {
		case d.away:
			back = append(back, d)
		case d.err != nil:
			failed = append(failed, d)
		default:
			done = append(done, d)
		}
	}
	q, stats := c.engine.store.Queries(c.engine.pool), &c.engine.stats
	if len(done) > 0 {
		if err := q.DeliveriesDone(ctx, c.named(done)); err != nil {
			return fmt.Errorf("settle deliveries: %w", err)
		}
	}
	if len(back) > 0 {
		if err := q.DeliveriesReturn(ctx, db.DeliveriesReturnParams(c.named(back))); err != nil {
			return fmt.Errorf("give deliveries back: %w", err)
		}
	}
	if len(failed) > 0 {
		if err := c.fail(ctx, q, failed); err != nil {
			return fmt.Errorf("put deliveries off: %w", err)
		}
	}
	stats.delivered.Add(int64(len(done)))
	stats.returned.Add(int64(len(back)))
	stats.failed.Add(int64(len(failed)))
	return nil
}

// named returns the keys of deliveries, and by which lease they are ours.
func (c *courier) named(batch []delivery) db.DeliveriesDoneParams {
	p := db.DeliveriesDoneParams{Lease: c.lease}
	for _, d := range batch {
		p.ContactIds = append(p.ContactIds, d.row.ContactID)
		p.SubscriptionNos = append(p.SubscriptionNos, d.row.SubscriptionNo)
		p.BucketNos = append(p.BucketNos, d.row.BucketNo)
		p.Ids = append(p.Ids, d.row.ID)
	}
	return p
}

// fail puts deliveries off, or gives them up.
func (c *courier) fail(ctx context.Context, q *db.Queries, batch []delivery) error {
	keys := c.named(batch)
	p := db.DeliveriesFailParams{
		ContactIds: keys.ContactIds, SubscriptionNos: keys.SubscriptionNos, BucketNos: keys.BucketNos, Ids: keys.Ids, Lease: c.lease,
	}
	for _, d := range batch {
		state := "waiting"
		if int(d.row.Attempts) >= c.subscribers[d.row.SubscriptionNo].maxAttempts || errors.Is(d.err, Cancel) {
			state = "dead"
		}
		p.States = append(p.States, state)
		p.NextAt = append(p.NextAt, store.Timestamp(c.engine.config.Now().Add(d.rest())))
		p.Errors = append(p.Errors, storable(d.err))
	}
	if err := q.DeliveriesFail(ctx, p); err != nil {
		return err
	}
	for i, state := range p.States {
		if state == "dead" {
			c.engine.stats.dead.Add(1)
			c.engine.log.ErrorContext(ctx, "a transition was given up; ReplayDeadLetters delivers it again",
				"subscription", c.subscribers[p.SubscriptionNos[i]].name, "delivery", p.Ids[i], "error", p.Errors[i])
		}
	}
	return nil
}

// rest returns how long a delivery that has failed is left alone.
func (d *delivery) rest() time.Duration {
	least := time.Duration(0)
	if later, ok := errors.AsType[*LaterError](d.err); ok {
		least = later.After
	}
	return max(least, backoff(int(d.row.Attempts)))
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
