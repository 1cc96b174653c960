package engine

import (
	"time"

	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Ahead returns by how much the clock of the process was ahead of the database's at the last heartbeat, negative if it
// was behind; 0 before the first.
func (g *Clock) Ahead() time.Duration {
	return g.heartbeat.Ahead()
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
