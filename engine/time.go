package engine

import (
	"sync/atomic"
	"time"

	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry/table"
)

// skew is by how much the clock of a process is ahead of the database's, as of the last heartbeat.
type skew struct{ ahead atomic.Int64 }

// measure notes that a statement which ran from one time to another by the clock of the process read the database's clock.
func (s *skew) measure(before, after, database time.Time) {
	s.ahead.Store(int64(before.Add(after.Sub(before) / 2).Sub(database)))
}

// Ahead returns by how much the clock of the process was ahead of the database's at the last heartbeat, negative if it
// was behind; 0 before the first.
func (g *Clock) Ahead() time.Duration {
	e := (*Engine)(g)
	return time.Duration(e.skew.ahead.Load())
}

// Now returns the time by the engine's clock: [Config].Now, less what that is ahead of the database's clock. A clock that is
// more than a minute ahead or behind counts as it is, and so does one of virtual time.
func (e *Engine) Now() time.Time {
	now, ahead := e.config.Now(), e.Clock().Ahead()
	if e.config.VirtualTime || ahead.Abs() > store.Tolerance {
		return now
	}
	return now.Add(-ahead)
}

func (e *Engine) now() table.Instant { return table.At(e.Now()) }
