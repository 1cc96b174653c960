package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
)

// Subscriber receives the deliveries of a subscription.
type Subscriber struct {
	// Name is the name of the subscription.
	Name string

	// MaxAttempts is how often a delivery is tried before it is given up.
	MaxAttempts int

	// Call is the function of a handler. Nil: the deliveries go to the forwarder of the dispatcher.
	Call func(ctx context.Context, t bucketgen.Transition) error
}

// Forwarder takes deliveries to another system, many at once.
type Forwarder struct {
	// Name names the forwarder in the log.
	Name string

	// Func returns an error for each delivery, or nil if all were accepted, and an error if the
	// target as a whole is away: then the deliveries that were not accepted go back to the outbox.
	Func func(ctx context.Context, batch []bucketgen.Delivery) ([]error, error)
}

// Subscribe registers a subscription in the database and serves it. It is called before Start.
func (c *Dispatcher) Subscribe(ctx context.Context, s Subscriber, params db.SubscriptionsRegisterParams) error {
	no, err := c.deps.Store().Queries(c.deps.Pool).SubscriptionsRegister(ctx, params)
	if err != nil {
		return err
	}
	c.serve(no, s)
	return nil
}

// Attach serves a subscription that another program registered. Without one it returns
// [bucketgen.ErrUnknownSubscription].
func (c *Dispatcher) Attach(ctx context.Context, s Subscriber) error {
	no, err := c.deps.Store().Queries(c.deps.Pool).SubscriptionsNumber(ctx, s.Name)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return bucketgen.ErrUnknownSubscription
	case err != nil:
		return err
	}
	c.serve(no, s)
	return nil
}

func (c *Dispatcher) serve(no int32, s Subscriber) {
	c.subscribers[no] = s
	c.subscriptions = append(c.subscriptions, no)
}

// run calls a handler. A panic is a failed attempt.
func (s Subscriber) run(ctx context.Context, t bucketgen.Transition) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return s.Call(ctx, t)
}

// run calls the forwarder. A panic, or a number of errors other than that of the deliveries, fails
// all of them.
func (f *Forwarder) run(ctx context.Context, batch []bucketgen.Delivery) (errs []error, away error) {
	all := func(err error) []error { return slices.Repeat([]error{err}, len(batch)) }
	defer func() {
		if p := recover(); p != nil {
			errs, away = all(fmt.Errorf("panic: %v", p)), nil
		}
	}()
	errs, away = f.Func(ctx, batch)
	switch {
	case away != nil && len(errs) != len(batch):
		return nil, away
	case errs != nil && len(errs) != len(batch):
		return all(fmt.Errorf("forwarder %q returned %d errors for %d deliveries", f.Name, len(errs), len(batch))), nil
	default:
		return errs, away
	}
}
