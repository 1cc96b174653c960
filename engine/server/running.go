package server

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/webhook"
)

// running is an engine that does everything, with the handlers and the services of the host, and
// webhooks.
type running struct {
	*engine.Engine
	services services
	hooks    *webhook.Service
	patience time.Duration // bounds a stop, up to the moment when the rest is cut off
	deadline time.Time     // by which it has to stop; zero: patience after it is asked to
}

// prepare makes an engine, and the services beside it, which are not started yet.
func (c *cli) prepare(d *database, allowPrivate bool) (*running, error) {
	c.host.HTTP.PrivateWebhooks = c.host.HTTP.PrivateWebhooks || allowPrivate
	e, err := c.engine(d, nil)
	if err != nil {
		return nil, err
	}
	if c.host.Handlers != nil {
		if err := c.host.Handlers(e); err != nil {
			return nil, err
		}
	}
	all, err := c.services(e)
	if err != nil {
		return nil, err
	}
	hooks, err := webhook.New(e, d.pool, webhook.Config{Schema: c.schema, AllowPrivate: c.host.HTTP.PrivateWebhooks, Logger: c.host.Config.Logger})
	if err != nil {
		return nil, err
	}
	return &running{Engine: e, services: all, hooks: hooks, patience: c.host.patience()}, nil
}

// beside returns all that works beside the engine.
func (r *running) beside() services { return append(slices.Clip(r.services), r.hooks) }

// String says how the engine runs.
func (r *running) String() string { return r.services.String() + "\n" + r.hooks.String() }

// start starts the engine and then the services, or nothing.
func (r *running) start(ctx context.Context) error {
	if err := r.Start(ctx); err != nil {
		return err
	}
	if err := r.beside().start(ctx); err != nil {
		return errors.Join(err, finish(r.Engine))
	}
	return nil
}

// stop stops the services and then the engine, all by one deadline.
func (r *running) stop() error {
	if r.deadline.IsZero() {
		r.deadline = time.Now().Add(r.patience)
	}
	ctx, cancel := context.WithDeadline(context.Background(), r.deadline)
	defer cancel()
	return errors.Join(r.beside().stop(ctx), r.Stop(ctx))
}

// patience bounds the stop of what is not a server.
const patience = 27 * time.Second

// patience returns the part of StopTimeout after which a stop cuts off the rest, which takes a
// moment more.
func (h *Host) patience() time.Duration {
	return cmp.Or(h.StopTimeout, 30*time.Second) / 10 * 9
}

// finish stops an engine, and gives it some time to write what it took in.
func finish(e *engine.Engine) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return e.Stop(ctx)
}
