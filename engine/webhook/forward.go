package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// errDisabled says that an endpoint was disabled while it was to be posted to.
var errDisabled = errors.New("the endpoint is disabled")

// forward posts a batch to an endpoint: by one webhook, if the endpoint takes several transitions
// at once, or else each by itself, all at once: no two are of one user and bucket. Where to, and
// signed by what, is asked each time, so that whatever was changed holds from then on.
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
	for from := 0; from < len(batch); from += to.atOnce() {
		until := min(from+to.atOnce(), len(batch))
		s.post(ctx, to, batch[from:until], errs[from:until], now)
	}
	switch {
	case slices.ContainsFunc(errs, func(err error) bool { return errors.Is(err, errGone) }):
		return errs, s.retire(ctx, no)
	case ctx.Err() != nil:
		return errs, ctx.Err() // what was broken off is not to blame
	}
	return errs, nil
}

// post posts as many transitions as may be on their way at once, and notes what came of each.
func (s *Service) post(ctx context.Context, to target, batch []engine.Delivery, errs []error, now time.Time) {
	if to.batch > 1 {
		s.announceAll(ctx, to, batch, errs, now)
		return
	}
	var posting sync.WaitGroup
	for i, d := range batch {
		posting.Go(func() { errs[i] = s.announce(ctx, to, &d, now) })
	}
	posting.Wait()
}

// announce posts a delivery.
func (s *Service) announce(ctx context.Context, to target, d *engine.Delivery, now time.Time) error {
	m, err := announcement(d)
	if err != nil {
		return err
	}
	answer, err := s.attempt(ctx, to, m, 1, now)
	if err != nil {
		return err
	}
	return answer.err(now)
}

// announceAll posts transitions by one webhook, and notes what came of each. What is refused for
// what is in it is posted in halves, down to the one that is not taken, so that it does not make
// dead letters of all that came with it.
func (s *Service) announceAll(ctx context.Context, to target, batch []engine.Delivery, errs []error, now time.Time) {
	m, err := announcements(batch, now)
	var answer Answer
	if err == nil {
		answer, err = s.attempt(ctx, to, m, len(batch), now)
	}
	if err == nil {
		err = answer.err(now)
	}
	if half := len(batch) / 2; half > 0 && refuses(answer.Status) {
		s.announceAll(ctx, to, batch[:half], errs[:half], now)
		s.announceAll(ctx, to, batch[half:], errs[half:], now)
		return
	}
	for i := range errs {
		errs[i] = err
	}
}

// refuses reports whether what was posted is to blame for a status, or some of it.
func refuses(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge || status == http.StatusUnprocessableEntity
}

// retire disables an endpoint that is gone, and returns why it is away: what it did not take waits
// until it is enabled again.
func (s *Service) retire(ctx context.Context, no int) error {
	if _, err := s.Disable(ctx, strconv.Itoa(no), errGone.Error()); err != nil {
		return err
	}
	s.Poke()
	return fmt.Errorf("%w; %w", errGone, errDisabled)
}
