package subject

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/registry/table"
)

// timers are those that were started for members who expire.
type timers struct {
	mu      sync.Mutex
	started []engine.ExpiryTimer
}

func (t *timers) start(_ context.Context, more []engine.ExpiryTimer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.started = append(t.started, more...)
	return nil
}

// expired takes out the timers that have expired.
func (t *timers) expired(now time.Time) []engine.ExpiryTimer {
	t.mu.Lock()
	defer t.mu.Unlock()
	var expired []engine.ExpiryTimer
	t.started = slices.DeleteFunc(t.started, func(a engine.ExpiryTimer) bool {
		if a.ExpiresAt.After(now) {
			return false
		}
		expired = append(expired, a)
		return true
	})
	return expired
}

// fire lets all timers go off that have expired, and those that are started by that. Where
// every bucket has timers, they must leave nothing to the clock.
func (s *session) fire(ctx context.Context) error {
	for {
		waiting := func(e *engine.Engine) bool { return e.Stats().TimersWaiting > 0 }
		for slices.ContainsFunc(s.engines, waiting) {
			if err := ctx.Err(); err != nil {
				return err
			}
			runtime.Gosched()
		}
		expired := s.timers.expired(s.clock.Now())
		if len(expired) == 0 {
			break
		}
		for _, a := range expired {
			if came, err := s.engine.Clock().FireTimer(ctx, a); err != nil || came == engine.ExpiryEarly {
				return fmt.Errorf("the timer %+v came to %q: %w", a, came, err)
			}
		}
	}
	left, err := s.engine.Clock().RunDue(ctx)
	slow := slices.ContainsFunc(s.registry.Buckets, func(b table.Bucket) bool { return !b.FastExpiry })
	if err == nil && left > 0 && !slow {
		return fmt.Errorf("timers left %d users to the clock", left)
	}
	return err
}
