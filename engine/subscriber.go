package engine

import (
	"context"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/registry"
)

// subscriber is who gets the deliveries of a subscription.
type subscriber struct {
	name        string
	maxAttempts int
	call        HandlerFunc // of a handler
}

// subscribe makes a subscription known to the database: to a bucket, or to all.
func (c *courier) subscribe(ctx context.Context, s subscriber, bucket registry.Index, params db.SubscriptionsRegisterParams) error {
	if bucket != allBuckets {
		no := c.engine.store.Bucket(bucket)
		params.BucketNo = &no
	}
	no, err := c.engine.store.Queries(c.engine.pool).SubscriptionsRegister(ctx, params)
	if err != nil {
		return err
	}
	c.serve(no, s)
	return nil
}

// serveFor serves a subscription of a forwarder, which it makes known to the database unless somebody else has.
func (c *courier) serveFor(ctx context.Context, s Subscription, maxAttempts int) error {
	to := subscriber{name: s.Name, maxAttempts: maxAttempts}
	if s.Existing {
		return c.attach(ctx, to)
	}
	bucket, params := s.params(c.engine)
	return c.subscribe(ctx, to, bucket, params)
}

// attach finds a subscription that somebody else has made known to the database.
func (c *courier) attach(ctx context.Context, s subscriber) error {
	no, err := c.engine.store.Queries(c.engine.pool).SubscriptionsNumber(ctx, s.name)
	switch {
	case noRow(err):
		return ErrUnknownSubscription
	case err != nil:
		return err
	}
	c.serve(no, s)
	return nil
}

func (c *courier) serve(no int32, s subscriber) {
	c.subscribers[no] = s
	c.subscriptions = append(c.subscriptions, no)
}
