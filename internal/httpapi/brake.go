package httpapi

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// brake slows down clients that are refused and come again at once: beyond a number of refusals a
// second, an answer waits. Each key has a number of its own, and all requests without a known key
// have one together. Safe for concurrent use.
type brake struct {
	each int

	mu      sync.Mutex
	holders map[int]*rate.Limiter   // by the numbers of keys
	held    int                     // answers that wait
	bytes   int                     // of the headers of their requests, about
	wakes   map[int64]chan struct{} // closed at an instant of the grid, which is the key; all answers that are sent then share it
}

const (
	holdTime = time.Second // for how long an answer waits, on the average
	maxHeld  = 1024        // answers that wait at once; further ones do not, and close their connections

	// maxHeldBytes bounds the headers of their requests, which net/http keeps in memory until they
	// are answered. A usual one has a few hundred bytes.
	maxHeldBytes = 256 << 10
)

// holdGrid is how far apart the instants are at which answers that wait are sent: to wake up for
// each of them by itself costs more processor time than the rest of it.
const holdGrid = holdTime / 2

// holdFor rounds a time to wait so that it ends at an instant of the grid.
func holdFor(now time.Time, wait time.Duration) time.Duration {
	return now.Add(wait).Round(holdGrid).Sub(now)
}

// keyless is the holder of requests without a known key, in place of the number of one.
const keyless = 0

func newBrake(each int) *brake {
	return &brake{each: each, holders: map[int]*rate.Limiter{}, wakes: map[int64]chan struct{}{}}
}

// headerBytes returns about how many bytes the header of a request takes.
func headerBytes(r *http.Request) int {
	const entry = 64
	n := len(r.RequestURI)
	for name, values := range r.Header {
		n += entry + len(name)
		for _, v := range values {
			n += len(v)
		}
	}
	return n
}

// hold waits if the holder of a request was refused too often. header is that of the answer.
func (b *brake) hold(r *http.Request, holder int, header http.Header) {
	size := headerBytes(r)
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
	if b.held >= maxHeld || b.bytes+size > maxHeldBytes {
		b.mu.Unlock()
		header.Set("Connection", "close")
		return
	}
	b.held++
	b.bytes += size
	wake := b.wake(holdTime/2 + rand.N(holdTime)) //nolint:gosec // spread, so that clients do not come back at once
	b.mu.Unlock()
	select {
	case <-wake:
	case <-r.Context().Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held--
	b.bytes -= size
}

// wake returns a channel that is closed after a time to wait, at an instant of the grid. The caller
// holds the lock.
func (b *brake) wake(wait time.Duration) <-chan struct{} {
	now := time.Now()
	wait = holdFor(now, wait)
	at := now.Add(wait).Round(time.Millisecond).UnixMilli()
	if wake := b.wakes[at]; wake != nil {
		return wake
	}
	wake := make(chan struct{})
	b.wakes[at] = wake
	time.AfterFunc(wait, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.wakes, at)
		close(wake)
	})
	return wake
}
