package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Forward registers a forwarder. Before the engine starts it does no more than that. On a running engine it makes the
// subscriptions known to the database, for which ctx is, and begins to forward. Transitions are kept for its subscriptions from
// the start of the engine on, or from now on if it runs, also while the forwarder does not run; [Engine.Unsubscribe] ends that.
//
// Forwarders may come and go at any time, and from several goroutines, but not from a Func: Stop waits for those.
func (e *Engine) Forward(ctx context.Context, f Forwarder) error {
	if err := f.check(); err != nil {
		return err
	}
	def(&f.Batch, maxForward)
	def(&f.MaxAttempts, defaultAttempts)
	f.Subscriptions = slices.Clone(f.Subscriptions)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.forward(ctx, &f); err != nil {
		return fmt.Errorf("forwarder %q: %w", f.Name, err)
	}
	return nil
}

// forward registers a forwarder, all of it or nothing, and starts it if the engine runs.
func (e *Engine) forward(ctx context.Context, f *Forwarder) error {
	if e.forwarderOf(f.Name) != nil {
		return errors.New("there is another of that name")
	}
	names := slices.Clone(e.names)
	for _, s := range f.Subscriptions {
		if err := e.checkSubscription(s, names); err != nil {
			return err
		}
		names = append(names, s.Name)
	}
	switch e.phase.Load() {
	case stopped:
		return ErrStopped
	case running:
		c, err := e.newForwardCourier(ctx, e.outbox.lease, f)
		if err != nil {
			return err
		}
		e.outbox.add(c)
		c.start()
	}
	e.names = names
	e.forwarders = append(e.forwarders, f)
	return nil
}

// Unforward ends a forwarder by its name, and waits for its Func. If ctx ends first, so does that of Func, and what it was
// called with is delivered again once a lease has passed. Transitions are still kept for its subscriptions, until somebody
// serves them again, or [Engine.Unsubscribe] ends that. It must not be called from a Func.
func (e *Engine) Unforward(ctx context.Context, name string) error {
	e.mu.Lock()
	f := e.forwarderOf(name)
	if f == nil || e.phase.Load() == fresh {
		defer e.mu.Unlock()
		if f == nil {
			return fmt.Errorf("forwarder %q: there is none of that name", name)
		}
		e.dropForwarder(f)
		return nil
	}
	c := e.outbox.of(f)
	e.mu.Unlock()
	err := c.end(ctx) // without the lock, because others need not wait for it; its names stay taken until then
	e.mu.Lock()
	defer e.mu.Unlock()
	e.outbox.remove(c)
	e.dropForwarder(f)
	if err != nil {
		return fmt.Errorf("forwarder %q: %w", name, err)
	}
	return nil
}

func (e *Engine) forwarderOf(name string) *Forwarder {
	i := slices.IndexFunc(e.forwarders, func(f *Forwarder) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return e.forwarders[i]
}

// dropForwarder forgets a forwarder, unless that was done already.
func (e *Engine) dropForwarder(f *Forwarder) {
	i := slices.Index(e.forwarders, f)
	if i < 0 {
		return
	}
	e.forwarders = slices.Delete(e.forwarders, i, i+1)
	e.names = slices.DeleteFunc(e.names, func(name string) bool {
		return slices.ContainsFunc(f.Subscriptions, func(s Subscription) bool { return s.Name == name })
	})
}
