package subject

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/registry"
)

// start starts an engine that has some definitions, and deploys them.
func (s *session) start(ctx context.Context, f *ir.File, emit engine.Emit) error {
	s.registry, s.definitions = plan.Build(f).Registry, f
	s.engines = nil
	for i := range max(s.manner.Engines, 1) {
		e, err := engine.New(s.pool, registry.New(s.registry), engine.Config{
			Now: s.clock.Now, VirtualTime: true, NoClock: true, NoDelivery: true,
			MaxBatch: s.manner.MaxBatch, Flushers: s.manner.Flushers, ClockWorkers: s.manner.ClockWorkers,
			MaxTraits: s.manner.Limits.Properties, MaxTraitBytes: s.manner.Limits.Bytes, AnonymousAge: s.manner.Limits.AnonymousAge,
			SuppressionSecret: s.manner.Secret,
			MaxAnonymousIDs:   s.manner.IDs.Anonymous, MaxEmails: s.manner.IDs.Emails,
		})
		if err != nil {
			return err
		}
		if i == 0 {
			if _, err := e.Deploy(ctx, engine.DeployOptions{Emit: emit}); err != nil {
				return err
			}
		}
		if err := e.Clock().OnExpiryTimer(s.timers.start); err != nil {
			return err
		}
		if err := e.Start(ctx); err != nil {
			return err
		}
		s.engines = append(s.engines, e)
	}
	s.engine = s.engines[0]
	return nil
}

// stop stops all engines.
func (s *session) stop(ctx context.Context) error {
	var errs []error
	for _, e := range s.engines {
		errs = append(errs, e.Stop(ctx))
	}
	return errors.Join(errs...)
}

// arrive lets it be the time of a step. If definitions change then, what is due before is settled
// before: an engine that has the new ones could not do it any more.
func (s *session) arrive(ctx context.Context, i int) error {
	at := s.steps[i].At
	before := at.Add(-time.Microsecond)
	changes := slices.ContainsFunc(s.steps[i:], func(step refeval.Action) bool {
		return step.At.Equal(at) && (step.Op == refeval.Deploy || step.Op == refeval.Pause || step.Op == refeval.Resume)
	})
	if changes && !before.Before(s.clock.Now()) {
		s.clock.Set(before)
		if err := s.settle(ctx); err != nil {
			return err
		}
	}
	s.clock.Set(at)
	return nil
}

// settle lets all users follow what is deployed, and then lets the clock do what is due.
func (s *session) settle(ctx context.Context) error {
	if _, err := s.engine.Deployments().Backfill(ctx, nil); err != nil {
		return err
	}
	_, err := s.engine.Clock().RunDue(ctx)
	return err
}

// deploy stops the engine and starts one that has other definitions.
func (s *session) deploy(ctx context.Context, i int) error {
	if err := s.follow(ctx, i, true); err != nil {
		return err
	}
	if err := s.stop(ctx); err != nil {
		return err
	}
	step := &s.steps[i]
	if err := s.start(ctx, step.Definitions, engine.Emit(step.Emit)); err != nil {
		return err
	}
	return s.follow(ctx, i, false)
}

// halt pauses or resumes a bucket.
func (s *session) halt(ctx context.Context, i int, do func(context.Context, registry.BucketRef) error) error {
	if err := s.follow(ctx, i, true); err != nil {
		return err
	}
	ref, known := registry.New(s.registry).Ref(s.steps[i].Bucket)
	if !known {
		return errNone
	}
	if err := do(ctx, ref); err != nil {
		return err
	}
	return s.follow(ctx, i, false)
}

// follow lets all users follow what is deployed: before the next change in any case, and after one
// only if the manner says so.
func (s *session) follow(ctx context.Context, i int, must bool) error {
	if !must && (s.manner.Follow == nil || !s.manner.Follow(i)) {
		return nil
	}
	_, err := s.engine.Deployments().Backfill(ctx, nil)
	return err
}
