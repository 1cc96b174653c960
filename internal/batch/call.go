package batch

import (
	"sync"
	"time"
)

// Call is a caller that waits until all of its items are done. [Call.Init] makes it ready.
type Call struct {
	Began time.Time // zero: its latency is not measured

	mu   sync.Mutex
	left int
	done chan struct{}
}

// Init sets how many items the call waits for. It is used before any of them is put.
func (c *Call) Init(items int) { c.left, c.done = items, make(chan struct{}) }

// Add makes the call wait for one more item.
func (c *Call) Add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left++
}

// Finish notes that an item is done.
func (c *Call) Finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left--; c.left == 0 {
		close(c.done)
	}
}

// Done is closed when all items are done.
func (c *Call) Done() <-chan struct{} { return c.done }
