package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bucketgen/bucketgen/internal/blame"
)

// UnreadyError says why an engine does not take events at the moment.
type UnreadyError struct {
	// Reason may be shown to every caller: it names no host, role or value.
	Reason string

	// Err is the error of the database, nil if there is none.
	Err error
}

// Error returns the reason.
func (e *UnreadyError) Error() string { return e.Reason }

// Unwrap returns the error of the database.
func (e *UnreadyError) Unwrap() error { return e.Err }

// Ready returns nil if the engine can take events now, and an [*UnreadyError] otherwise: it does not run, its queue is full,
// ingest has been failing for half a second or more, or the database does not answer, is read-only, or does not let the role
// write. It writes nothing. The database is asked at most four times a second, whatever the number of calls, and has a second
// to answer. It is for load balancers, and may be called by several goroutines.
func (e *Engine) Ready(ctx context.Context) error {
	if err := e.ready(); err != nil {
		return &UnreadyError{Reason: err.Error(), Err: err}
	}
	if !e.HasRoom(1) {
		return &UnreadyError{Reason: "too many events wait to be written"}
	}
	if err := e.health.unwell(time.Now()); err != nil {
		return err
	}
	return e.probe.ask(ctx, e)
}

// probe asks the database whether it takes writes, and remembers the answer for a moment.
type probe struct {
	mu  sync.Mutex
	at  time.Time // of the last answer
	err error
}

const (
	probeEvery   = 250 * time.Millisecond
	probeTimeout = time.Second
)

func (p *probe) ask(ctx context.Context, e *Engine) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.at.IsZero() && time.Since(p.at) < probeEvery {
		return p.err
	}
	// The answer is for all who ask, so it does not end with the one who asked first.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	p.err = e.writable(ctx)
	p.at = time.Now()
	return p.err
}

// writable returns an [*UnreadyError] unless the database takes writes, as far as it can be seen without one.
func (e *Engine) writable(ctx context.Context) error {
	row, err := e.store.Queries(e.pool).ServerWritable(ctx)
	switch {
	case err != nil:
		e.shun(err)
		return &UnreadyError{blame.Reason(err), fmt.Errorf("ask whether the database takes writes: %w", err)}
	case row.ReadOnly:
		e.reconnect() // another session may not be
		return &UnreadyError{Reason: "the database is read-only"}
	case !row.Granted:
		return &UnreadyError{Reason: "the role lacks a privilege on the tables"}
	}
	return nil
}

// shun gives up all connections of the pool if an error may come from a setting that sessions keep. Others take their place.
func (e *Engine) shun(err error) {
	if blame.Sticky(err) {
		e.reconnect()
	}
}

// reconnect gives up all connections of the pool, once a second at most.
func (e *Engine) reconnect() {
	now := time.Now().UnixNano()
	last := e.reset.Load()
	if now-last > int64(time.Second) && e.reset.CompareAndSwap(last, now) {
		e.pool.Reset()
	}
}

// health is how writes of the engine fare.
type health struct {
	failing atomic.Bool // since is not zero
	began   atomic.Bool // writes have begun to fail, and the heartbeat does not know yet
	wake    func()      // is called when writes begin to fail

	mu       sync.Mutex
	since    time.Time // of the first failure after the last success
	err      error     // of the last failure
	retrying int       // batches that are waiting for their next attempt
}

// failingFor is how long writes fail until the engine is not ready: less is the noise of locks and restarts.
const failingFor = 500 * time.Millisecond

// fail notes that a write failed for a reason of the moment. r is nil for a write that is no batch.
func (h *health) fail(r *attempts, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = err
	if h.since.IsZero() {
		h.since = time.Now()
		h.failing.Store(true)
		h.began.Store(true)
		h.wake()
	}
	if r != nil && !r.unwell {
		r.unwell = true
		h.retrying++
	}
}

// leave notes that a batch does not wait for a further attempt.
func (h *health) leave(r *attempts) {
	if !r.unwell {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	r.unwell = false
	h.retrying--
}

// succeed notes that a batch was written.
func (h *health) succeed() {
	if h.failing.Load() {
		h.recover(true)
	}
}

// recover forgets failures after a success. That of a write that is no batch means nothing while batches fail.
func (h *health) recover(batch bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if batch || h.retrying == 0 {
		h.since, h.err = time.Time{}, nil
		h.failing.Store(false)
	}
}

// unwell returns an [*UnreadyError] if writes have been failing for long enough.
func (h *health) unwell(now time.Time) error {
	if !h.failing.Load() {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.since.IsZero() || now.Sub(h.since) < failingFor {
		return nil
	}
	return &UnreadyError{
		fmt.Sprintf("events have not been written for %s: %s", now.Sub(h.since).Round(100*time.Millisecond), blame.Reason(h.err)), h.err,
	}
}
