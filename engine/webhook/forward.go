package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// errDisabled says that an endpoint was disabled while it was to be posted to.
var errDisabled = errors.New("the endpoint is disabled")

// forward posts a batch to an endpoint, all of it at once: no two are of one user and bucket. Where to, and signed by what, is
// asked each time, so that whatever was changed holds from then on.
func (s *Service) forward(ctx context.Context, no int, batch []engine.Delivery) ([]error, error) {
	now := s.now()
	to, err := s.target(ctx, int32(no), now)
	switch {
	case err != nil:
		return nil, err
	case to.disabled:
		return nil, errDisabled
	}
	errs := make([]error, len(batch))
	var posting sync.WaitGroup
	for i, d := range batch {
		posting.Go(func() { errs[i] = s.announce(ctx, to, d.Transition, now) })
	}
	posting.Wait()
	switch {
	case slices.ContainsFunc(errs, func(err error) bool { return errors.Is(err, errGone) }):
		return errs, s.retire(ctx, no)
	case ctx.Err() != nil:
		return errs, ctx.Err() // what was broken off is not to blame
	}
	return errs, nil
}

// announce posts a transition.
func (s *Service) announce(ctx context.Context, to target, t engine.Transition, now time.Time) error {
	m, err := announcement(t)
	if err != nil {
		return err
	}
	answer, err := s.poster.post(ctx, to, m, now)
	if err != nil {
		return err
	}
	return answer.err(now)
}

// retire disables an endpoint that is gone, and returns why it is away: what it did not take waits until it is enabled again.
func (s *Service) retire(ctx context.Context, no int) error {
	if _, err := s.Disable(ctx, strconv.Itoa(no), errGone.Error()); err != nil {
		return err
	}
	s.Poke()
	return fmt.Errorf("%w; %w", errGone, errDisabled)
}
