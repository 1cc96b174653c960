package feed

import (
	"context"
	"time"

	"github.com/bucketgen/bucketgen/internal/blame"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
)

// notifyGap is the least time between two notifications.
const notifyGap = 20 * time.Millisecond

// notify notifies other processes of transitions that were committed. It does so in a transaction
// of its own, because PostgreSQL lets transactions that notify commit only one after the other. A
// notification that cannot be sent is not retried: other processes find out by their next poll.
func (f *Feed) notify(ctx context.Context) (time.Duration, error) {
	err := f.queries(f.deps.Pool).TransitionsNotify(ctx, f.deps.Schema)
	if blame.Known(err) {
		err = nil
	}
	_ = retry.Sleep(ctx, notifyGap)
	return service.Idle, err
}
