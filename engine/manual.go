package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Add puts a user into a manual bucket and returns what happened: nothing if they are in it already. A user who is
// unknown is created; one who is deleted gives [ErrDeleted], a bucket that is paused [ErrPaused].
func (e *Engine) Add(ctx context.Context, bucket registry.ManualRef, userID string) ([]Transition, error) {
	return e.change(ctx, "add to", bucket, userID, true, (*decide.Session).Add)
}

// Remove takes a user out of a manual bucket, whatever its minimal dwell, and returns what happened: nothing if they are
// not in it, or unknown. One who is deleted gives [ErrDeleted], a bucket that is paused [ErrPaused].
func (e *Engine) Remove(ctx context.Context, bucket registry.ManualRef, userID string) ([]Transition, error) {
	return e.change(ctx, "remove from", bucket, userID, false, (*decide.Session).Remove)
}

func (e *Engine) change(ctx context.Context, verb string, ref registry.ManualRef, userID string, create bool,
	step func(*decide.Session, table.BucketIndex, table.Instant) decide.Result,
) ([]Transition, error) {
	b, err := e.bucket(ref)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", verb, err)
	}
	if e.registry.Buckets[b].Kind != table.Manual {
		return nil, fmt.Errorf("%s bucket %q: %w", verb, ref.ID(), ErrNotManual)
	}
	if err := e.moves(ctx, b); err != nil { // a user who was created for nothing would be no newcomer any more
		return nil, fmt.Errorf("%s bucket %q: %w", verb, ref.ID(), err)
	}
	made, err := e.administer(ctx, userID, create, func(s *decide.Session, clock table.Instant) decide.Result {
		return step(s, b, clock)
	})
	if err != nil {
		return nil, fmt.Errorf("%s bucket %q: %w", verb, ref.ID(), err)
	}
	return made, nil
}

// moves returns an error if nothing moves in a bucket.
func (e *Engine) moves(ctx context.Context, b table.BucketIndex) error {
	if err := e.ready(); err != nil {
		return err
	}
	if _, err := e.refresh(ctx); err != nil && !Transient(err) {
		return err
	}
	switch d := e.store.Deployment(); {
	case !d.Frozen(b):
		return nil
	case e.paused(b):
		return ErrPaused
	default:
		return ErrNotDeployed
	}
}

// paused reports whether a bucket is, as far as this process has noticed.
func (e *Engine) paused(b table.BucketIndex) bool {
	return slices.Contains(e.store.Deployment().Paused, e.store.Bucket(b))
}

// Delete hides a user: from now on every read finds them in no bucket, and nothing happens to them.
// Their memberships stay as they are, and what they do is stored, so that Restore can bring them
// back. A user who is unknown stays so.
func (e *Engine) Delete(ctx context.Context, userID string) error {
	if _, err := e.administer(ctx, userID, false, (*decide.Session).Delete); err != nil {
		return fmt.Errorf("delete user: %w", err)
	}
	return nil
}

// Restore undoes Delete. What the user would have joined or left in the meantime, they join or leave now; that is
// returned.
func (e *Engine) Restore(ctx context.Context, userID string) ([]Transition, error) {
	made, err := e.administer(ctx, userID, false, (*decide.Session).Restore)
	if err != nil {
		return nil, fmt.Errorf("restore user: %w", err)
	}
	return made, nil
}

// administer runs one step on one user, however long another transaction holds the lock, and
// returns what happened. An unknown user is left alone unless create is set.
func (e *Engine) administer(ctx context.Context, userID string, create bool, step func(*decide.Session, table.Instant) decide.Result) ([]Transition, error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	if err := event.UserID(userID); err != nil {
		return nil, err
	}
	t := &transact.Task{
		Want: store.Request{User: e.name(userID), Create: create, CreatedAt: e.now()}, Options: e.options(true), Step: step, Named: true,
	}
	r := e.attempts("change")
	for {
		err := transact.Canonical(func() error {
			return e.runner.Commit(ctx, true, []*transact.Task{t})
		}, func(n transact.Names) { t.Want.User = n.Of(t.Want.User) })
		switch {
		case err == nil && t.Result.Deleted:
			return nil, ErrDeleted
		case err == nil && t.Result.Paused:
			return nil, ErrPaused
		case err == nil:
			return e.transitions(t.Want.User, t.Result.Transitions), nil
		}
		if err := r.Again(ctx, err); err != nil {
			return nil, err
		}
	}
}
