package engine

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/jackc/pgx/v5/pgtype"
	"go.opentelemetry.io/otel/attribute"

	"github.com/bucketgen/bucketgen/internal/outbox"
	"github.com/bucketgen/bucketgen/internal/store"
)

// newProcess returns an identity for this process, in leases and heartbeats.
func newProcess() pgtype.UUID {
	id := pgtype.UUID{Valid: true}
	_, _ = rand.Read(id.Bytes[:]) // it never fails
	return id
}

func (e *Engine) newOutbox() *outbox.Outbox {
	return outbox.New(outbox.Deps{
		Pool: e.pool, Log: e.log, Store: func() *store.Store { return e.store }, Now: e.Now, VirtualTime: e.config.VirtualTime,
		Process: e.processID, Lease: e.config.Lease, Poll: e.config.DeliveryPoll, Off: e.config.NoDelivery, Rollback: e.link.Rollback,
		Span: func(ctx context.Context, name string) (context.Context, func(error, ...attribute.KeyValue)) {
			return e.telemetry.Begin(ctx, name)
		},
	})
}

// prepareOutbox registers the subscriptions of handlers and forwarders in the database, so that transitions
// are kept for them from now on.
func (e *Engine) prepareOutbox(ctx context.Context) error {
	var all []*outbox.Dispatcher
	if len(e.handlers) > 0 {
		d := e.outbox.NewDispatcher(nil, e.config.DeliveryWorkers)
		for i := range e.handlers {
			h := &e.handlers[i]
			if err := d.Subscribe(ctx, outbox.Subscriber{Name: h.name, MaxAttempts: h.maxAttempts, Call: h.call}, e.numbered(h.bucket, h.subscription)); err != nil {
				return fmt.Errorf("register handler %q: %w", h.name, err)
			}
		}
		all = append(all, d)
	}
	for _, f := range e.forwarders {
		d, err := e.newForwardDispatcher(ctx, f)
		if err != nil {
			return fmt.Errorf("forwarder %q: %w", f.Name, err)
		}
		all = append(all, d)
	}
	e.outbox.Replace(all)
	return nil
}

// newForwardDispatcher makes a dispatcher for a forwarder, whose subscriptions it registers in the database.
func (e *Engine) newForwardDispatcher(ctx context.Context, f *Forwarder) (*outbox.Dispatcher, error) {
	d := e.outbox.NewDispatcher(&outbox.Forwarder{Name: f.Name, Func: f.Func}, f.Batch)
	for _, s := range f.Subscriptions {
		to := outbox.Subscriber{Name: s.Name, MaxAttempts: f.MaxAttempts}
		var err error
		if s.Existing {
			err = d.Attach(ctx, to)
		} else {
			err = d.Subscribe(ctx, to, e.numbered(s.params(e.handle)))
		}
		if err != nil {
			return nil, fmt.Errorf("register subscription %q: %w", s.Name, err)
		}
	}
	return d, nil
}
