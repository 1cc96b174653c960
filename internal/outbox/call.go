package outbox

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/store"
)

// dispatch begins calls with prefetched deliveries, as many as may run at once.
func (c *Dispatcher) dispatch(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	most := c.size
	if c.forwarder != nil {
		most = 1
	}
	for c.calling < most {
		batch := c.begin()
		if len(batch) == 0 {
			return
		}
		c.calling++
		c.calls.Go(func() { c.work(ctx, batch) })
	}
}

// begin takes the deliveries of the next call from the queue. A delivery whose lease has ended goes
// back: another process may have it by now. The caller holds the lock.
func (c *Dispatcher) begin() []*delivery {
	n := 1
	if c.forwarder != nil {
		n = c.size
	}
	var batch []*delivery
	for now := c.now(); !c.stopping && len(batch) < n && len(c.queue) > 0; {
		d := c.queue[0]
		c.queue[0], c.queue = nil, c.queue[1:]
		if !now.Before(d.until) {
			d.back = true
			c.finished = append(c.finished, d)
			continue
		}
		d.begun = true
		batch = append(batch, d)
	}
	return batch
}

// work makes one call after the other until the queue is empty.
func (c *Dispatcher) work(ctx context.Context, batch []*delivery) {
	for {
		c.call(ctx, batch)
		c.mu.Lock()
		for _, d := range batch {
			d.cancel = nil
		}
		c.finished = append(c.finished, batch...)
		batch = c.begin()
		if len(batch) == 0 {
			c.calling--
		}
		c.mu.Unlock()
		c.poke()
		if len(batch) == 0 {
			return
		}
	}
}

// call makes one call. Its context ends with the first of the leases that could not be extended.
func (c *Dispatcher) call(ctx context.Context, batch []*delivery) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c.mu.Lock()
	for _, d := range batch {
		d.cancel = cancel
	}
	c.mu.Unlock()
	unguard := c.guard(batch, cancel)
	defer unguard()
	if c.forwarder != nil {
		c.forward(ctx, batch)
		return
	}
	d := batch[0]
	s, t := c.subscribers[d.row.SubscriptionNo], transitionOf(&d.row)
	ctx, end := c.deps.Span(ctx, "deliver")
	d.err = s.run(ctx, t)
	end(d.err, attribute.String("bucketgen.subscription", s.Name), attribute.String("bucketgen.bucket", t.BucketID), attribute.String("bucketgen.key", t.Key()))
}

// transitionOf returns the transition of a delivery. Its bucket may be unknown to this process,
// because a subscription to all buckets includes those.
func transitionOf(row *db.DeliveriesClaimRow) bucketgen.Transition {
	t := store.Recorded(row.BucketgenTransition, row.BucketID, row.BucketName, row.UserID, row.Email)
	t.Replayed, t.Fence = row.Replay, row.Fence
	return t
}

// forward makes one call of the forwarder.
func (c *Dispatcher) forward(ctx context.Context, ds []*delivery) {
	batch := make([]bucketgen.Delivery, len(ds))
	for i, d := range ds {
		batch[i] = bucketgen.Delivery{
			Subscription: c.subscribers[d.row.SubscriptionNo].Name, Transition: transitionOf(&d.row), Notice: store.Noticed(&d.row.BucketgenTransition),
			Attempt: int(d.row.Attempts),
		}
	}
	ctx, end := c.deps.Span(ctx, "forward")
	errs, away := c.forwarder.run(ctx, batch)
	end(errors.Join(append(slices.Clip(errs), away)...), attribute.String("bucketgen.forwarder", c.forwarder.Name), attribute.Int("bucketgen.deliveries", len(batch)))
	for i, d := range ds {
		if errs != nil {
			d.err = errs[i]
		}
		d.away = away != nil && (errs == nil || d.err != nil)
		d.back = d.away
	}
	c.backOff(ctx, away)
}

// backOff backs off from a target that was away, and resets the backoff of one that was not.
func (c *Dispatcher) backOff(ctx context.Context, away error) {
	c.mu.Lock()
	before := c.away
	if away == nil {
		c.away, c.until = 0, time.Time{}
	} else {
		c.away = min(max(2*c.away, minAway), maxAway)
		c.until = c.deps.Now().Add(retry.Jitter(c.away))
		c.giveBack(true)
	}
	c.mu.Unlock()
	switch {
	case away != nil && before == 0 && ctx.Err() == nil:
		c.deps.Log.WarnContext(ctx, "target of forwarder is away, transitions wait in the outbox", "component", component, "forwarder", c.forwarder.Name, "error", away)
	case away == nil && before > 0:
		c.deps.Log.InfoContext(ctx, "target of forwarder is back", "component", component, "forwarder", c.forwarder.Name)
	}
}
