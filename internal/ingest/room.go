package ingest

import (
	"container/list"
	"context"
	"sync"
)

// room bounds the items that are not done: their number and their bytes. Callers get room in the
// order in which they ask for it, for all of their items at once. Safe for concurrent use.
type room struct {
	mostItems, mostBytes int

	mu    sync.Mutex
	items int
	bytes int
	line  list.List // of *waiter
}

// waiter waits for room.
type waiter struct {
	items, bytes int
	ready        chan struct{} // closed when it has room
}

func newRoom(items, bytes int) *room { return &room{mostItems: items, mostBytes: bytes} }

// acquire takes room for items as soon as it is free. More than fits at all has room when there is
// nothing else. It returns the error of ctx if that ends first.
func (r *room) acquire(ctx context.Context, items, bytes int) error {
	r.mu.Lock()
	if r.line.Len() == 0 && r.tryAcquire(items, bytes) {
		r.mu.Unlock()
		return nil
	}
	n := &waiter{items, bytes, make(chan struct{})}
	at := r.line.PushBack(n)
	r.mu.Unlock()
	select {
	case <-n.ready:
		return nil
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-n.ready: // at the last moment
		return nil
	default:
	}
	r.line.Remove(at)
	r.advance()
	return ctx.Err()
}

// release frees the room of items that are done.
func (r *room) release(items, bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items -= items
	r.bytes -= bytes
	r.advance()
}

// advance gives room to those who wait, in order.
func (r *room) advance() {
	for at := r.line.Front(); at != nil; at = r.line.Front() {
		n := at.Value.(*waiter) //nolint:forcetypeassert // nothing else is in line
		if !r.tryAcquire(n.items, n.bytes) {
			return
		}
		r.line.Remove(at)
		close(n.ready)
	}
}

// tryAcquire takes room for items if there is any.
func (r *room) tryAcquire(items, bytes int) bool {
	if r.items > 0 && (r.items+items > r.mostItems || r.bytes+bytes > r.mostBytes) {
		return false
	}
	r.items += items
	r.bytes += bytes
	return true
}

// waiting returns how many items have room, and are not done.
func (r *room) waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.items
}

// fits reports whether there is room for items whose bytes are not known.
func (r *room) fits(items int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.line.Len() == 0 && (r.items == 0 || r.items+items <= r.mostItems && r.bytes < r.mostBytes)
}
