// Package retry holds the one backoff of the engine: how long a failed attempt waits for the next,
// and when to give up.
package retry

import (
	"context"
	"math/rand/v2"
	"time"
)

// The bounds of a [Backoff] that sets none.
const (
	Min = 5 * time.Millisecond
	Max = time.Second
)

// Backoff is an exponential backoff: each wait is twice the one before. The zero value goes from
// [Min] to [Max]. It is used by one goroutine.
type Backoff struct {
	// Min is the first wait. Defaults to the constant Min.
	Min time.Duration

	// Max is the longest wait. Defaults to the constant Max, or to Min if that is longer.
	Max time.Duration

	// Jitter adds up to a quarter to each wait, so that what failed together does not come back
	// together. Defaults to false.
	Jitter bool

	wait time.Duration // the next one, without jitter; 0: Min
}

// Peek returns the next wait, without jitter, and leaves the backoff as it is.
func (b *Backoff) Peek() time.Duration {
	if b.wait > 0 {
		return b.wait
	}
	if b.Min > 0 {
		return b.Min
	}
	return Min
}

// Next returns how long to wait now, and doubles the wait that follows.
func (b *Backoff) Next() time.Duration {
	wait, most := b.Peek(), b.Max
	if most <= 0 {
		most = max(Max, b.Min)
	}
	b.wait = min(2*wait, most)
	if b.Jitter {
		return Jitter(wait)
	}
	return wait
}

// Reset makes the next wait the shortest again, after a success.
func (b *Backoff) Reset() { b.wait = 0 }

// Sleep waits as long as Next says, or returns the error of ctx if that ends first.
func (b *Backoff) Sleep(ctx context.Context) error { return Sleep(ctx, b.Next()) }

// Jitter adds up to a quarter to a wait.
func Jitter(d time.Duration) time.Duration {
	return d + time.Duration(rand.Int64N(max(int64(d)/4, 1))) //nolint:gosec // no secret
}

// Sleep waits, or returns the error of ctx if that ends first.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
