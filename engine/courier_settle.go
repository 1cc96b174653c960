package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// exchange settles deliveries, leases as many further ones as are wanted, and begins to make them.
func (c *courier) exchange(ctx context.Context, batch []*delivery, want int) error {
	x := &store.Exchange{}
	dead := c.settle(x, batch)
	asked := c.now()
	if want > 0 {
		if err := c.claim(ctx, x, want); err != nil {
			c.restore(batch)
			return err
		}
	}
	if err := c.send(ctx, x); err != nil {
		c.restore(batch)
		return err
	}
	c.count(ctx, x, batch, dead)
	c.forget(batch)
	c.take(x, want, asked.Add(c.engine.config.Lease))
	c.dispatch(ctx)
	return nil
}

func (c *courier) send(ctx context.Context, x *store.Exchange) error {
	conn, err := c.engine.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	if err := x.Send(ctx, conn, c.engine.store); err != nil {
		return c.engine.rollback(ctx, conn, fmt.Errorf("exchange with the outbox: %w", err))
	}
	return nil
}

// settle adds to an exchange what came of deliveries, and returns those that are given up.
func (c *courier) settle(x *store.Exchange, batch []*delivery) (dead []*delivery) {
	x.Done.Lease, x.Failed.Lease, x.Back.Lease = c.lease, c.lease, c.lease
	for _, d := range batch {
		switch {
		case d.back:
			p := &x.Back
			p.ContactIds, p.SubscriptionNos = append(p.ContactIds, d.row.ContactID), append(p.SubscriptionNos, d.row.SubscriptionNo)
			p.BucketNos, p.Ids = append(p.BucketNos, d.row.BucketNo), append(p.Ids, d.row.ID)
		case d.err == nil:
			p := &x.Done
			p.ContactIds, p.SubscriptionNos = append(p.ContactIds, d.row.ContactID), append(p.SubscriptionNos, d.row.SubscriptionNo)
			p.BucketNos, p.Ids = append(p.BucketNos, d.row.BucketNo), append(p.Ids, d.row.ID)
			removes(x, d)
		default:
			state := "waiting"
			if int(d.row.Attempts) >= c.subscribers[d.row.SubscriptionNo].maxAttempts || errors.Is(d.err, Cancel) {
				state = "dead"
				dead = append(dead, d)
				removes(x, d)
			}
			p := &x.Failed
			p.ContactIds, p.SubscriptionNos = append(p.ContactIds, d.row.ContactID), append(p.SubscriptionNos, d.row.SubscriptionNo)
			p.BucketNos, p.Ids = append(p.BucketNos, d.row.BucketNo), append(p.Ids, d.row.ID)
			p.States, p.Errors = append(p.States, state), append(p.Errors, storable(d.err))
			p.NextAt = append(p.NextAt, store.Timestamp(c.engine.Now().Add(d.rest())))
		}
	}
	return dead
}

// removes adds a delivery to those that leave what waits.
func removes(x *store.Exchange, d *delivery) {
	p := &x.Removed
	p.ContactIds, p.SubscriptionNos = append(p.ContactIds, d.row.ContactID), append(p.SubscriptionNos, d.row.SubscriptionNo)
	p.BucketNos, p.Ids = append(p.BucketNos, d.row.BucketNo), append(p.Ids, d.row.ID)
}

// rest returns how long a delivery that has failed is left alone.
func (d *delivery) rest() time.Duration {
	least := time.Duration(0)
	if later, ok := errors.AsType[*LaterError](d.err); ok {
		least = later.After
	}
	return max(least, backoff(int(d.row.Attempts)))
}

// claim adds a claim to an exchange.
func (c *courier) claim(ctx context.Context, x *store.Exchange, want int) error {
	deployed := c.engine.store.Deployment()
	if deployed == nil || c.stale {
		var err error
		if deployed, err = c.engine.store.Refresh(ctx, c.engine.pool); err != nil {
			return err
		}
	}
	now := c.engine.Now()
	x.Claim = &db.DeliveriesClaimParams{
		Virtual: c.engine.config.VirtualTime, Now: store.Timestamp(now), Until: store.Timestamp(now.Add(c.engine.config.Lease)), Lease: c.lease,
		SubscriptionNos: c.subscriptions, Shares: c.shares(want), GenerationNo: deployed.No, PausedNos: deployed.Paused, Most: int32(want),
	}
	return nil
}

const fewest = 4 // deliveries that a claim may read of any subscription

// shares returns how much of each subscription a claim reads at most: of those of which the last claim has left something they
// have equal parts of what is wanted, and of the others a few, to find out whether there is something again. So a claim reads
// what it takes, whatever the number of subscriptions.
func (c *courier) shares(want int) []int32 {
	all := make([]int32, len(c.subscriptions))
	for i, no := range c.subscriptions {
		share := max(want/len(all), fewest)
		if most, ok := c.hungry[no]; ok {
			share = max(min((want+len(c.hungry)-1)/len(c.hungry), most), fewest)
		}
		all[i] = int32(share)
	}
	return all
}

// count adds to the figures of the engine what an exchange has settled.
func (c *courier) count(ctx context.Context, x *store.Exchange, batch, dead []*delivery) {
	stats := &c.engine.stats
	stats.delivered.Add(int64(len(x.Done.Ids)))
	stats.failed.Add(int64(len(x.Failed.Ids)))
	for _, d := range batch {
		if d.away {
			stats.returned.Add(1)
		}
	}
	for _, d := range dead {
		stats.dead.Add(1)
		c.engine.log.ErrorContext(ctx, "a transition was given up; ReplayDeadLetters delivers it again",
			"subscription", c.subscribers[d.row.SubscriptionNo].name, "delivery", d.row.ID, "error", storable(d.err))
	}
}

// forget forgets deliveries that are settled. What was leased once more while it was made goes back by the next exchange: its
// user was merged into another meanwhile, by whose name it comes again.
func (c *courier) forget(batch []*delivery) {
	if len(batch) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range batch {
		delete(c.current, d.row.ID)
		if d.again != nil {
			back := &delivery{row: *d.again, back: true}
			c.current[d.row.ID] = back
			c.finished = append(c.finished, back)
			c.poke()
		}
	}
	now := time.Now()
	pace := float64(len(batch)) / float64(max(now.Sub(c.settled), time.Microsecond))
	c.ahead = (c.ahead + int(min(pace*float64(aheadSpan), maxAhead))) / 2
	c.settled = now
}

// take queues what was leased until at least some time.
func (c *courier) take(x *store.Exchange, want int, until time.Time) {
	if x.Claim == nil {
		return
	}
	found, heads := map[int32]int{}, map[int32]int{}
	taken := 0
	c.mu.Lock()
	for i := range x.Rows {
		row := &x.Rows[i]
		found[row.SubscriptionNo]++
		if !row.Taken {
			continue
		}
		taken++
		heads[row.SubscriptionNo]++
		switch d := c.current[row.ID]; {
		case d == nil:
			d = &delivery{row: *row, until: until}
			c.current[row.ID] = d
			c.queue = append(c.queue, d)
		case !d.begun && !d.back:
			d.row, d.until = *row, until
		default:
			d.again = row // what is being made goes on
		}
	}
	c.mu.Unlock()
	for i, no := range c.subscriptions {
		before, ok := c.hungry[no]
		if !ok {
			before = maxClaim
		}
		delete(c.hungry, no)
		if found[no] >= int(x.Claim.Shares[i]) {
			c.hungry[no] = reach(before, found[no], heads[no])
		}
	}
	c.stale = x.Generation != x.Claim.GenerationNo
	c.more = c.stale || taken < len(x.Rows) || taken >= want || len(c.hungry) > 0
}

// reach returns how many deliveries of a subscription the next claim may read, after a claim that was
// allowed before, read found and took heads. A claim marks a delivery that is not a head yet, and an
// exchange later removes the mark; a delivery that is read once it is a head costs neither. So a claim
// reads little more than the last one took. A claim that took less than a quarter reads on at full size,
// because many heads may come after one long chain.
func reach(before, found, heads int) int {
	const quarter = 4
	next := heads + heads/8 + fewest
	switch {
	case heads < found/quarter:
		return maxClaim
	case heads == found:
		return max(next, before)
	}
	return next
}
