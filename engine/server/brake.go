package server

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// brake slows down clients that are refused and come again at once: beyond a number of refusals a second, an answer waits. Each
// key has a number of its own, and all requests without a known key have one together. Safe for concurrent use.
type brake struct {
	each int

	mu      sync.Mutex
	holders map[int]*rate.Limiter // by the numbers of keys
	held    int                   // answers that wait
}

const (
	holdTime = time.Second // for how long an answer waits, on the average
	maxHeld  = 1024        // answers that wait at once; further ones do not, and close their connections
)

// holdGrid is how far apart the instants are at which answers that wait are sent: to wake up for each of them by itself costs more
// processor time than the rest of it.
const holdGrid = holdTime / 2

// holdFor rounds a time to wait so that it ends at an instant of the grid.
func holdFor(now time.Time, wait time.Duration) time.Duration {
	return now.Add(wait).Round(holdGrid).Sub(now)
}

// keyless is the holder of requests without a known key, in place of the number of one.
const keyless = 0

func newBrake(each int) *brake { return &brake{each: each, holders: map[int]*rate.Limiter{}} }

// hold waits if the holder was refused too often.
func (b *brake) hold(ctx context.Context, holder int, header http.Header) {
	b.mu.Lock()
	l := b.holders[holder]
	if l == nil {
		if len(b.holders) >= maxAllowances {
			clear(b.holders)
		}
		l = rate.NewLimiter(rate.Limit(b.each), b.each)
		b.holders[holder] = l
	}
	if l.Allow() {
		b.mu.Unlock()
		return
	}
	if b.held >= maxHeld {
		b.mu.Unlock()
		header.Set("Connection", "close")
		return
	}
	b.held++
	b.mu.Unlock()
	timer := time.NewTimer(holdFor(time.Now(), holdTime/2+rand.N(holdTime))) //nolint:gosec // spread, so that clients do not come back at once
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held--
}
