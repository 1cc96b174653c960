package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/internal/retry"
)

// outbox delivers transitions to the handlers and forwarders of this process. Each forwarder has a courier of its own, and the
// handlers have one together: what one of them cannot deliver delays no other.
type outbox struct {
	lease pgtype.UUID // of this process

	mu       sync.RWMutex
	couriers []*courier // forwarders come and go
}

// prepareOutbox makes the subscriptions of handlers and forwarders known to the database, so that from now on transitions are
// kept for them.
func (e *Engine) prepareOutbox(ctx context.Context) error {
	var o outbox
	for i := range o.lease.Bytes {
		o.lease.Bytes[i] = byte(rand.IntN(256)) //nolint:gosec // it tells processes apart, it is no secret
	}
	o.lease.Valid = true
	if len(e.handlers) > 0 {
		c := newCourier(e, o.lease, e.config.DeliveryWorkers)
		for i := range e.handlers {
			h := &e.handlers[i]
			if err := c.subscribe(ctx, subscriber{h.name, h.maxAttempts, h.call}, h.bucket, h.subscription); err != nil {
				return fmt.Errorf("register handler %q: %w", h.name, err)
			}
		}
		o.couriers = append(o.couriers, c)
	}
	for _, f := range e.forwarders {
		c, err := e.newForwardCourier(ctx, o.lease, f)
		if err != nil {
			return fmt.Errorf("forwarder %q: %w", f.Name, err)
		}
		o.couriers = append(o.couriers, c)
	}
	e.outbox.mu.Lock()
	defer e.outbox.mu.Unlock()
	e.outbox.lease, e.outbox.couriers = o.lease, o.couriers
	return nil
}

// newForwardCourier makes a courier for a forwarder, whose subscriptions it makes known to the database.
func (e *Engine) newForwardCourier(ctx context.Context, lease pgtype.UUID, f *Forwarder) (*courier, error) {
	c := newCourier(e, lease, f.Batch)
	c.forwarder = f
	for _, s := range f.Subscriptions {
		if err := c.serveFor(ctx, s, f.MaxAttempts); err != nil {
			return nil, fmt.Errorf("register subscription %q: %w", s.Name, err)
		}
	}
	return c, nil
}

func (o *outbox) all() []*courier {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return slices.Clone(o.couriers)
}

// of returns the courier of a forwarder.
func (o *outbox) of(f *Forwarder) *courier {
	o.mu.RLock()
	defer o.mu.RUnlock()
	i := slices.IndexFunc(o.couriers, func(c *courier) bool { return c.forwarder == f })
	return o.couriers[i]
}

func (o *outbox) add(c *courier) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.couriers = append(o.couriers, c)
}

func (o *outbox) remove(c *courier) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.couriers = slices.DeleteFunc(o.couriers, func(other *courier) bool { return other == c })
}

// poke lets all couriers look again.
func (o *outbox) poke() {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, c := range o.couriers {
		c.poke()
	}
}

func (o *outbox) stop() {
	for _, c := range o.all() {
		c.stop()
	}
}

// abandon ends the calls that run.
func (o *outbox) abandon() {
	for _, c := range o.all() {
		if c.cancel != nil {
			c.cancel()
		}
	}
}

// backoff returns how long to wait after an attempt: from a second to somewhat more than an hour, a little more so that
// what failed together does not come back together. Twenty attempts take about ten hours.
func backoff(attempt int) time.Duration {
	return retry.Jitter(time.Second << min(attempt-1, 12))
}
