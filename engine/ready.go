package engine

import (
	"context"

	"github.com/bucketgen/bucketgen"
)

// UnreadyError says why an engine does not take events at the moment.
type UnreadyError = bucketgen.UnreadyError

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
	return e.health.Ready(ctx)
}
