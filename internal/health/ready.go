package health

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/blame"
)

// Ready returns nil if the database takes writes now, as far as can be seen without one, else a
// [*bucketgen.UnreadyError]. The database is asked at most four times a second.
func (h *Health) Ready(ctx context.Context) error {
	if err := h.unwell(time.Now()); err != nil {
		return err
	}
	return h.probe.ask(ctx, h.writable)
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

func (p *probe) ask(ctx context.Context, writable func(context.Context) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.at.IsZero() && time.Since(p.at) < probeEvery {
		return p.err
	}
	// The answer is for all who ask, so it does not end with the one who asked first.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	p.err = writable(ctx)
	p.at = time.Now()
	return p.err
}

// writable returns an [*bucketgen.UnreadyError] unless the database takes writes, as far as it can
// be seen without one.
func (h *Health) writable(ctx context.Context) error {
	row, err := h.deps.Store().Queries(h.deps.Pool).ServerWritable(ctx)
	switch {
	case err != nil:
		h.Shun(err)
		return &bucketgen.UnreadyError{Reason: blame.Reason(err), Err: fmt.Errorf("ask whether the database takes writes: %w", err)}
	case row.ReadOnly:
		h.reconnect() // another session may not be
		return &bucketgen.UnreadyError{Reason: "the database is read-only"}
	case !row.Granted:
		return &bucketgen.UnreadyError{Reason: "the role lacks a privilege on the tables"}
	}
	return nil
}

// Shun gives up all connections of the pool if an error may come from a setting that sessions keep.
// Others take their place.
func (h *Health) Shun(err error) {
	if blame.Sticky(err) {
		h.reconnect()
	}
}

// reconnect gives up all connections of the pool, once a second at most.
func (h *Health) reconnect() {
	now := time.Now().UnixNano()
	last := h.reset.Load()
	if now-last > int64(time.Second) && h.reset.CompareAndSwap(last, now) {
		h.deps.Pool.Reset()
	}
}
