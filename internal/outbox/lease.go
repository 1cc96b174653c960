package outbox

import (
	"context"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/store"
)

// keepLoop extends the leases of slow calls. After a failure it tries again sooner.
func (c *Dispatcher) keepLoop(ctx context.Context) {
	every := c.deps.Lease / 3
	for wait := every; retry.Sleep(ctx, wait) == nil; {
		c.tire(2 * every)
		if wait = every; !c.keep(ctx, every) {
			wait = min(every/4, retry.Max)
		}
		if c.deps.VirtualTime {
			c.expire()
		}
	}
}

// keep extends the leases of deliveries in a call or waiting for an exchange. It reports whether it
// extended all of them.
func (c *Dispatcher) keep(ctx context.Context, patience time.Duration) bool {
	lasts, from, now := c.deps.Lease, c.now(), c.deps.Now()
	p := db.DeliveriesExtendParams{
		Virtual: c.deps.VirtualTime, Now: store.Timestamp(now), Until: store.Timestamp(now.Add(lasts)), Lease: c.deps.Process,
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
	kept, err := c.deps.Store().Queries(c.deps.Pool).DeliveriesExtend(bounded, p)
	if err != nil {
		if ctx.Err() == nil {
			c.deps.Log.ErrorContext(ctx, "lease extension failed, another process may deliver too", "component", component, "reason", blame.Reason(err), "error", err)
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

// tire returns prefetched deliveries whose leases end within left: another process may be faster.
func (c *Dispatcher) tire(left time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	latest := c.now().Add(left)
	if len(c.queue) > 0 && c.queue[0].until.Before(latest) {
		c.ahead = 0
		c.giveBack(false)
		c.poke()
	}
}

// guard ends a call when the lease of one of its deliveries ends. It returns a function that stops
// the guard.
func (c *Dispatcher) guard(batch []*delivery, cancel context.CancelCauseFunc) (stop func() bool) {
	if c.deps.VirtualTime {
		return func() bool { return true } // timers do not run in virtual time
	}
	var timer *time.Timer
	check := func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		left := time.Until(soonest(batch))
		if left <= 0 {
			cancel(bucketgen.ErrLeaseLost)
			return
		}
		timer.Reset(left)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	timer = time.AfterFunc(time.Until(soonest(batch)), check)
	return timer.Stop
}

// soonest returns the earliest end of the leases. The caller holds the lock.
func soonest(batch []*delivery) time.Time {
	first := batch[0].until
	for _, d := range batch[1:] {
		if d.until.Before(first) {
			first = d.until
		}
	}
	return first
}

// expire ends the calls whose leases have ended in virtual time.
func (c *Dispatcher) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for _, d := range c.current {
		if d.cancel != nil && !now.Before(d.until) {
			d.cancel(bucketgen.ErrLeaseLost)
		}
	}
}
