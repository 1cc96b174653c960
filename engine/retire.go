package engine

import (
	"context"
	"fmt"
)

// Retire makes all members leave a bucket that is not deployed any more, for the reason
// [ReasonRetired], and returns how many did. Until then its members stay as they are: a definition
// that was removed by mistake finds them again when it is back. It may be called again if it was
// interrupted. The engine need not have been started.
func (g *Deployments) Retire(ctx context.Context, bucketID string) (int64, error) {
	e := (*Engine)(g)
	if err := e.open(ctx); err != nil {
		return 0, fmt.Errorf("retire bucket %q: %w", bucketID, err)
	}
	n, err := e.rollout().Retire(ctx, bucketID, e.staysOnly)
	if err != nil {
		return n, fmt.Errorf("retire bucket %q: %w", bucketID, err)
	}
	return n, nil
}
