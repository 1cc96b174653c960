package engine

import (
	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/health"
	"github.com/bucketgen/bucketgen/internal/retry"
)

// Transient reports whether an error of the engine is about the moment, not about what was to be
// done: the database is away, read-only, full or restarting, the engine is about to stop, or the
// error is unforeseen. The same call may succeed later. It is false for an [*InvalidError], for
// sentinels such as [ErrDeleted], and for what PostgreSQL refuses because of what an event says.
func Transient(err error) bool { return blame.Transient(err) }

// attempts returns those of a call of the API, which are given up when the engine stops.
func (e *Engine) attempts(component string) *health.Attempts {
	return &health.Attempts{Attempts: retry.Attempts{
		Component: component, Log: e.log, Stopping: func() bool { return e.phase.Load() == stopped },
	}}
}
