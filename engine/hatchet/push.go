package hatchet

import (
	"cmp"
	"context"
	"errors"

	v0 "github.com/hatchet-dev/hatchet/pkg/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/bucketgen/bucketgen/engine"
)

// payload is what a workflow is triggered with.
type payload struct {
	engine.Transition

	// Key is the idempotency key. It is the same however often the transition is pushed.
	Key string `json:"key"`
}

// notice is what a workflow is triggered with by a notice.
type notice struct {
	engine.Notice

	Key string `json:"key"`
}

// payloadOf returns what a delivery triggers a workflow with.
func payloadOf(d *engine.Delivery) any {
	if d.Notice != nil {
		return notice{*d.Notice, d.Transition.Key()}
	}
	return payload{d.Transition, d.Transition.Key()}
}

// idempotencyKey is the name of the key among the metadata of an event.
const idempotencyKey = "idempotencyKey"

var errNotReady = errors.New("the tasks are not registered with Hatchet yet")

// forward pushes transitions. Either all are pushed, or it says which cannot be, or that none can
// be for now.
func (a *Adapter) forward(ctx context.Context, batch []engine.Delivery) ([]error, error) {
	if !a.ready.Load() {
		return nil, errNotReady
	}
	events := make([]v0.EventWithAdditionalMetadata, len(batch))
	for i, d := range batch {
		key := d.Transition.Key()
		events[i] = v0.EventWithAdditionalMetadata{
			Key:                cmp.Or(a.events[d.Subscription].key, d.Transition.Event()),
			Event:              payloadOf(&d),
			AdditionalMetadata: map[string]string{idempotencyKey: key},
		}
	}
	err := a.client.pushAll(ctx, events)
	if status.Code(err) != codes.InvalidArgument {
		return nil, err
	}
	// One that Hatchet does not take keeps it from taking the others with it.
	errs := make([]error, len(events))
	for i := range events {
		errs[i] = a.client.bulk(ctx, events[i:i+1])
		if errs[i] != nil && status.Code(errs[i]) != codes.InvalidArgument {
			return nil, errs[i]
		}
	}
	return errs, nil
}

// announce pushes events for this package's own tasks.
func (a *Adapter) announce(ctx context.Context, events []v0.EventWithAdditionalMetadata) error {
	if !a.ready.Load() {
		return errNotReady
	}
	return a.client.pushAll(ctx, events)
}
