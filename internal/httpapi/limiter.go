package httpapi

import (
	"math"
	"sync"
	"time"
)

// limiter holds what keys with a rate have left. Safe for concurrent use.
type limiter struct {
	now   func() time.Time
	burst int // what a key saves up at most, unless its rate is higher
	most  int // how many keys have an allowance at once

	mu   sync.Mutex
	keys map[int]*allowance // by the numbers of keys
}

// maxAllowances bounds the keys that a limiter knows at once.
const maxAllowances = 10_000

func newLimiter(burst int, now func() time.Time) *limiter {
	return &limiter{now: now, burst: burst, most: maxAllowances, keys: map[int]*allowance{}}
}

// allowance is what a key has left. It begins with its rate, and grows by that each second, so that
// in any time after the first request a key gets no more than its rate times the seconds, and its
// rate once. It saves up enough for the largest batch, which would never find room otherwise.
type allowance struct {
	rate   int
	tokens float64
	at     time.Time
}

// take takes n from the allowance of a key, or nothing. If there is not enough, it returns after
// how long there is.
func (l *limiter) take(k key, n int) (wait time.Duration, ok bool) {
	if k.Rate == 0 || n == 0 {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	a, wait := l.lacks(k, n)
	if wait > 0 {
		return wait, false
	}
	a.tokens -= float64(n)
	return 0, true
}

// check reports whether the allowance of a key is enough for one. If it is not, it returns after
// how long it is.
func (l *limiter) check(k key) (wait time.Duration, ok bool) {
	if k.Rate == 0 {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, wait = l.lacks(k, 1)
	return wait, wait == 0
}

// lacks returns the allowance of a key, and after how long it has n; 0 if it has them.
func (l *limiter) lacks(k key, n int) (*allowance, time.Duration) {
	a := l.of(k, l.now())
	if a == nil {
		return nil, time.Second
	}
	if missing := float64(n) - a.tokens; missing > rounding {
		return a, time.Duration(math.Ceil(missing / float64(k.Rate) * float64(time.Second)))
	}
	return a, 0
}

// rounding is what an allowance may lack because of the way in which it is added up.
const rounding = 1e-6

// give returns what was taken for a request that is to come again.
func (l *limiter) give(k key, n int) {
	if k.Rate == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.keys[k.No]; a != nil {
		a.tokens += float64(n)
	}
}

// of returns the allowance of a key as it is now, or nil if too many keys have one.
func (l *limiter) of(k key, now time.Time) *allowance {
	a := l.keys[k.No]
	if a == nil {
		if len(l.keys) >= l.most && !l.evict(now) {
			return nil
		}
		a = &allowance{rate: k.Rate, tokens: float64(k.Rate), at: now}
		l.keys[k.No] = a
	}
	if a.rate != k.Rate {
		a.rate, a.tokens = k.Rate, min(a.tokens, float64(k.Rate))
	}
	a.refill(now, l.burst)
	return a
}

// refill adds what has come in since the last time. A clock that went back adds nothing.
func (a *allowance) refill(now time.Time, burst int) {
	if since := now.Sub(a.at); since > 0 {
		a.tokens = min(a.tokens+since.Seconds()*float64(a.rate), float64(max(burst, a.rate)))
		a.at = now
	}
}

// evict removes the keys that lose nothing by it: they have at least what a key begins with. It
// reports whether it found one.
func (l *limiter) evict(now time.Time) bool {
	before := len(l.keys)
	for no, a := range l.keys {
		if a.refill(now, l.burst); a.tokens >= float64(a.rate) {
			delete(l.keys, no)
		}
	}
	return len(l.keys) < before
}
