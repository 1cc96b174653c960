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

// timers are those that were armed for members who expire.
type timers struct {
	mu    sync.Mutex
	armed []engine.ExpiryTimer
}

func (t *timers) arm(_ context.Context, arms []engine.ExpiryTimer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.armed = append(t.armed, arms...)
	return nil
}

// expired takes out the timers that have expired.
func (t *timers) expired(now time.Time) []engine.ExpiryTimer {
	t.mu.Lock()
	defer t.mu.Unlock()
	var expired []engine.ExpiryTimer
	t.armed = slices.DeleteFunc(t.armed, func(a engine.ExpiryTimer) bool {
		if a.ExpiresAt.After(now) {
			return false
		}
		expired = append(expired, a)
		return true
	})
	return expired
}

// fire lets all timers go off that have expired, those that are armed anew by that, too. Where
// every bucket has timers, they must leave nothing to the clock.
func (s *session) fire(ctx context.Context) error {
	for {
		arming := func(e *engine.Engine) bool { return e.Stats().TimersWaiting > 0 }
		for slices.ContainsFunc(s.engines, arming) {
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
