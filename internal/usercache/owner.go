package usercache

import (
	"math/rand/v2"
	"time"
)

// ServerStarted notes when the server of a transaction was started, and whether its commits are
// durable. If it is another start than the last one, the server may have lost commits: the cache is
// cleared, its owner gets a new number, and ServerStarted returns true.
func (c *Cache) ServerStarted(start time.Time, durable bool) (cleared bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.durable = durable
	if c.owner != 0 && c.start.Equal(start) {
		return false
	}
	c.start, c.owner = start, 1+rand.Int64N(1<<62) //nolint:gosec // it is no secret
	for c.ring.newer != &c.ring {
		c.evict(c.ring.newer)
	}
	return true
}

// Owner returns the number by which contacts name this engine as the owner of the user's history.
// It is 0 while the engine can own none.
func (c *Cache) Owner() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.durable {
		return 0
	}
	return c.owner
}

// To own a user's history costs a write, and so does losing it to another engine. That pays if the
// histories are trusted lossCost times as often as they are lost. Where users alternate between
// engines, only one claim in retryEvery takes a history.
const (
	maxCredit  = 1000
	lossCost   = 4
	retryEvery = 32
)

// OwningPays reports whether the engine should own the history of more users.
func (c *Cache) OwningPays() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.credit > 0 || c.serial%retryEvery == 0
}
