// Package health says whether the database takes the writes of an engine.
package health

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Deps is what health needs of an engine.
type Deps struct {
	Pool *pgxpool.Pool

	// Store returns the store of the engine. It is called after the engine opened it.
	Store func() *store.Store

	// Wake is called when writes begin to fail.
	Wake func()
}

// Health is how writes of an engine fare. It is safe for concurrent use.
type Health struct {
	deps  Deps
	probe probe
	reset atomic.Int64 // when the connections of the pool were given up last, in Unix nanoseconds

	failing atomic.Bool // since is not zero
	began   atomic.Bool // writes have begun to fail, and the heartbeat does not know yet

	mu       sync.Mutex
	since    time.Time // of the first failure after the last success
	err      error     // of the last failure
	retrying int       // batches that are waiting for their next attempt
}

// New returns the health of an engine of which nothing has failed.
func New(d Deps) *Health { return &Health{deps: d} }

// Attempts retries one call, and whether it counts as failing.
type Attempts struct {
	retry.Attempts

	unwell bool
}

// FailingFor is how long writes fail until the engine is not ready: less is the noise of locks and
// restarts.
const FailingFor = 500 * time.Millisecond

// Fail notes that a write failed for a reason of the moment. r is nil for a write that is no batch.
func (h *Health) Fail(r *Attempts, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = err
	if h.since.IsZero() {
		h.since = time.Now()
		h.failing.Store(true)
		h.began.Store(true)
		h.deps.Wake()
	}
	if r != nil && !r.unwell {
		r.unwell = true
		h.retrying++
	}
}

// Finish notes that a batch does not wait for a further attempt.
func (h *Health) Finish(r *Attempts) {
	if !r.unwell {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	r.unwell = false
	h.retrying--
}

// Succeed notes that a batch was written.
func (h *Health) Succeed() {
	if h.failing.Load() {
		h.recover(true)
	}
}

// SucceedAlone notes that a write that is no batch succeeded. It reports whether writes succeed,
// which such a write does not show while batches fail.
func (h *Health) SucceedAlone() bool {
	h.recover(false)
	return !h.failing.Load()
}

// Began reports, once, that writes have begun to fail.
func (h *Health) Began() bool { return h.began.Swap(false) }

// recover forgets failures after a success. That of a write that is no batch means nothing while
// batches fail.
func (h *Health) recover(batch bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if batch || h.retrying == 0 {
		h.since, h.err = time.Time{}, nil
		h.failing.Store(false)
	}
}

// unwell returns an [*bucketgen.UnreadyError] if writes have been failing for long enough.
func (h *Health) unwell(now time.Time) error {
	if !h.failing.Load() {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.since.IsZero() || now.Sub(h.since) < FailingFor {
		return nil
	}
	return &bucketgen.UnreadyError{
		Reason: fmt.Sprintf("events have not been written for %s: %s", now.Sub(h.since).Round(100*time.Millisecond), blame.Reason(h.err)),
		Err:    h.err,
	}
}
