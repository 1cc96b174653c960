package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// outbox delivers transitions to the handlers and forwarders of this process. Each forwarder has a courier of its own, and the
// handlers have one together: what one of them cannot deliver delays no other.
type outbox struct {
	lease    pgtype.UUID // of this process
	couriers []*courier
}

// newOutbox makes the subscriptions of handlers and forwarders known to the database, so that from now on transitions are
// kept for them.
func (e *Engine) newOutbox(ctx context.Context) (*outbox, error) {
	o := &outbox{}
	for i := range o.lease.Bytes {
		o.lease.Bytes[i] = byte(rand.IntN(256)) //nolint:gosec // it tells processes apart, it is no secret
	}
	o.lease.Valid = true
	if len(e.handlers) > 0 {
		c := newCourier(e, o.lease, e.config.DeliveryWorkers)
		for i := range e.handlers {
			h := &e.handlers[i]
			if err := c.subscribe(ctx, subscriber{h.name, h.maxAttempts, h.call}, h.bucket, h.subscription); err != nil {
				return nil, fmt.Errorf("register handler %q: %w", h.name, err)
			}
		}
		o.couriers = append(o.couriers, c)
	}
	for i := range e.forwarders {
		f := &e.forwarders[i]
		c := newCourier(e, o.lease, f.Batch)
		c.forwarder = f
		for _, s := range f.Subscriptions {
			bucket, params := s.params(e)
			if err := c.subscribe(ctx, subscriber{name: s.Name, maxAttempts: f.MaxAttempts}, bucket, params); err != nil {
				return nil, fmt.Errorf("register subscription %q of forwarder %q: %w", s.Name, f.Name, err)
			}
		}
		o.couriers = append(o.couriers, c)
	}
	return o, nil
}

// run delivers until it is stopped, and then waits for the calls that run.
func (o *outbox) run(ctx context.Context) {
	var running sync.WaitGroup
	for _, c := range o.couriers {
		running.Go(func() { c.run(ctx) })
	}
	running.Wait()
}

// poke lets all couriers look again.
func (o *outbox) poke() {
	for _, c := range o.couriers {
		c.poke()
	}
}

func (o *outbox) stop() {
	for _, c := range o.couriers {
		c.stop()
	}
}

// backoff returns how long to wait after an attempt: from a second to an hour and a half, a little more or less so that
// what failed together does not come back together. Twenty attempts take about a day.
func backoff(attempt int) time.Duration {
	return jittered(time.Second << min(attempt-1, 12))
}

// jittered returns a little more than a time.
func jittered(d time.Duration) time.Duration {
	return d + time.Duration(rand.Int64N(int64(d)/4)) //nolint:gosec // no secret
}
