package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/webhook"
)

// measure returns the deliveries a second while the backlog waits and is refilled.
func (b *outboxed) measure(ctx context.Context, w way, span time.Duration) (rate float64, err error) {
	// Autovacuum does this every minute.
	if _, err := b.pool.Exec(ctx, "vacuum bucketgen.deliveries"); err != nil {
		return 0, err
	}
	err = b.deliver(ctx, w, func(e *engine.Engine) error {
		keeping, stop := context.WithCancel(ctx)
		var keeper sync.WaitGroup
		var failed error
		keeper.Go(func() { failed = b.keep(keeping, w, e) })
		const warm = 500 * time.Millisecond
		time.Sleep(warm)
		before, start := e.Stats().Delivered, time.Now()
		time.Sleep(span)
		rate = float64(e.Stats().Delivered-before) / time.Since(start).Seconds()
		stop()
		keeper.Wait()
		return failed
	})
	return rate, err
}

// keep refills the outbox until ctx ends, so that the backlog or little more waits.
func (b *outboxed) keep(ctx context.Context, w way, e *engine.Engine) error {
	const chunk = 250
	for ctx.Err() == nil {
		if b.waiting(w)-b.delivered-int(e.Stats().Delivered) > b.backlog {
			time.Sleep(200 * time.Microsecond)
			continue
		}
		if err := b.add(context.WithoutCancel(ctx), w, chunk); err != nil {
			return err
		}
	}
	return nil
}

// drain delivers the backlog without a refill and returns the rate of each tenth of it.
func (b *outboxed) drain(ctx context.Context, w way) (rates []float64, err error) {
	err = b.deliver(ctx, w, func(e *engine.Engine) error {
		before, start := int64(0), time.Now()
		for tenth := range 10 {
			end := b.backlog * (tenth + 1) / 10
			if tenth == 9 {
				end -= b.backlog / 100 // the last deliveries are too few to keep all handlers busy
			}
			for int(e.Stats().Delivered) < end {
				time.Sleep(time.Millisecond)
			}
			delivered, now := e.Stats().Delivered, time.Now()
			rates = append(rates, float64(delivered-before)/now.Sub(start).Seconds())
			before, start = delivered, now
		}
		return nil
	})
	return rates, err
}

// subscribe replaces the subscriptions in the database by those of a way.
func (b *outboxed) subscribe(ctx context.Context, w way) error {
	for _, sql := range []string{"delete from bucketgen.subscriptions", "delete from bucketgen.endpoints", "delete from bucketgen.endpoint_secrets"} {
		if _, err := b.pool.Exec(ctx, sql); err != nil {
			return err
		}
	}
	if w.name == "webhooks" {
		endpoints, err := webhook.Open(b.pool, webhook.Config{AllowPrivate: true})
		if err != nil {
			return err
		}
		_, err = endpoints.Create(ctx, webhook.Endpoint{Name: "bench", URL: b.target, Batch: 100})
		return err
	}
	return b.start(ctx, w, engine.Config{NoClock: true, NoDelivery: true}, func(*engine.Engine) error { return nil })
}

// deliver calls do while an engine delivers, and counts all deliveries of that engine.
func (b *outboxed) deliver(ctx context.Context, w way, do func(*engine.Engine) error) error {
	var e *engine.Engine
	err := b.start(ctx, w, engine.Config{NoClock: true, DeliveryPoll: 5 * time.Millisecond}, func(started *engine.Engine) error {
		e = started
		if w.name != "webhooks" {
			return do(e)
		}
		hooks, err := webhook.New(e, b.pool, webhook.Config{AllowPrivate: true})
		if err != nil {
			return err
		}
		if err := hooks.Start(ctx); err != nil {
			return err
		}
		return errors.Join(do(e), hooks.Stop(ctx))
	})
	if e != nil {
		b.delivered += int(e.Stats().Delivered)
	}
	return err
}

// start calls do with an engine that has the subscriptions of a way.
func (b *outboxed) start(ctx context.Context, w way, c engine.Config, do func(*engine.Engine) error) error {
	e, err := engine.New(b.pool, b.registry, c)
	if err != nil {
		return err
	}
	if err := b.register(ctx, e, w); err != nil {
		return err
	}
	if err := e.Start(ctx); err != nil {
		return err
	}
	return errors.Join(do(e), e.Stop(ctx))
}

func (b *outboxed) register(ctx context.Context, e *engine.Engine, w way) error {
	ref, _ := b.registry.Ref(outboxBucket)
	switch w.name {
	case "handlers":
		for i := range w.subscriptions {
			err := e.OnTransition(ref, engine.TransitionHandler{Name: fmt.Sprintf("handler %d", i), MaxAttempts: 1 << 20, Func: func(_ context.Context, t engine.Transition) error {
				if w.failing && t.UserID == "user-1" {
					return errors.New("it fails all the time")
				}
				return nil
			}})
			if err != nil {
				return err
			}
		}
	case "a forwarder":
		return e.Forward(ctx, engine.Forwarder{
			Name:          "forwarder",
			Subscriptions: []engine.Subscription{{Name: "forwarder", Kinds: []engine.Kind{engine.Entered, engine.Left}}},
			Func:          func(context.Context, []engine.Delivery) ([]error, error) { return nil, nil },
		})
	}
	return nil
}
