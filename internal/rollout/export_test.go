package rollout

import (
	"context"
	"time"
)

// Claim claims the next part of a deployment.
type Claim = func(context.Context) (after, upto int64, at time.Time, err error)

// ClaimOf returns the claim of one worker.
func (s *Service) ClaimOf(no int) Claim { return (&backfill{Service: s, no: int32(no)}).claim }
