package engine

import (
	"context"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/store"
)

// keepLoop keeps the leases of deliveries that take longer. If that fails, it tries again sooner.
func (c *courier) keepLoop(ctx context.Context) {
	every := c.engine.config.Lease / 3
	for wait := every; retry.Sleep(ctx, wait) == nil; {
		c.tire(2 * every)
		if wait = every; !c.keep(ctx, every) {
			wait = min(every/4, retry.Max)
		}
		if c.engine.config.VirtualTime {
			c.expire()
		}
	}
}

// keep extends the leases of the deliveries that are being made or wait to be settled. It reports whether it kept all of them.
func (c *courier) keep(ctx context.Context, patience time.Duration) bool {
	lasts, from, now := c.engine.config.Lease, c.now(), c.engine.Now()
	p := db.DeliveriesExtendParams{
		Virtual: c.engine.config.VirtualTime, Now: store.Timestamp(now), Until: store.Timestamp(now.Add(lasts)), Lease: c.lease,
	}
	c.mu.Lock()
	for id, d := range c.current {
		if d.begun {
			p.ContactIds, p.SubscriptionNos = append(p.ContactIds, d.row.ContactID), append(p.SubscriptionNos, d.row.SubscriptionNo)
			p.BucketNos, p.Ids = append(p.BucketNos, d.row.BucketNo), append(p.Ids, id)
		}
	}
	c.mu.Unlock()
	if len(p.Ids) == 0 {
		return true
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	kept, err := c.engine.store.Queries(c.engine.pool).DeliveriesExtend(bounded, p)
	if err != nil {
		if ctx.Err() == nil {
			c.engine.log.ErrorContext(ctx, "leases of deliveries cannot be kept; others may deliver them, too", "error", err)
		}
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range kept {
		if d := c.current[id]; d != nil {
			d.until = from.Add(lasts)
		}
	}
	return len(kept) == len(p.Ids)
}

// tire gives back what was not begun and has less than some time of its lease left: whatever holds it up here may not do so in
// another process.
func (c *courier) tire(left time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	latest := c.now().Add(left)
	if len(c.queue) > 0 && c.queue[0].until.Before(latest) {
		c.ahead = 0
		c.giveBack(false)
		c.poke()
	}
}

// guard ends a call when the lease of one of its deliveries has ended that was not kept. It returns what ends the guard.
func (c *courier) guard(batch []*delivery, cancel context.CancelCauseFunc) (stop func() bool) {
	if c.engine.config.VirtualTime {
		return func() bool { return true } // the time of a lease is not one that a timer knows
	}
	var timer *time.Timer
	check := func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		left := time.Until(soonest(batch))
		if left <= 0 {
			cancel(ErrLeaseLost)
			return
		}
		timer.Reset(left)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	timer = time.AfterFunc(time.Until(soonest(batch)), check)
	return timer.Stop
}

// soonest returns when the first of some leases ends. The caller holds the lock.
func soonest(batch []*delivery) time.Time {
	first := batch[0].until
	for _, d := range batch[1:] {
		if d.until.Before(first) {
			first = d.until
		}
	}
	return first
}

// expire ends the calls of leases that have ended in virtual time.
func (c *courier) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for _, d := range c.current {
		if d.cancel != nil && !now.Before(d.until) {
			d.cancel(ErrLeaseLost)
		}
	}
}
