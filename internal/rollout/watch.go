package rollout

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/service"
)

// Watching returns the loop that reads what is deployed, announces each unfinished deployment by a
// function, nil for none, and takes users through it if it backfills.
func (s *Service) Watching(backfills bool, announce func(context.Context, bucketgen.Deployment) error) *service.Loop {
	a := &announcer{call: announce, log: s.Log}
	return &service.Loop{
		Component: "rollout", Log: s.Log, Interrupt: true, Backoff: retry.Backoff{Min: retry.Max},
		Turn: func(ctx context.Context) (time.Duration, error) { return s.Poll, s.watch(ctx, backfills, a) },
	}
}

func (s *Service) watch(ctx context.Context, backfills bool, a *announcer) error {
	d, err := s.Refresh(ctx)
	if err != nil || !d.Agreed || !backfills && a.call == nil {
		return err
	}
	b, err := s.unfinished(ctx, d, func(bucketgen.Deployment) {})
	if err != nil || b.no == 0 {
		return err
	}
	if a.due(b.no) {
		d, err := s.Deployment(ctx, b.no)
		if err != nil {
			return err
		}
		a.announce(ctx, d)
	}
	if !backfills {
		return nil
	}
	return b.run(ctx)
}

// announcer calls a function once for each deployment, and again after an error. A failure does not
// keep users from following. One goroutine uses it.
type announcer struct {
	call   func(context.Context, bucketgen.Deployment) error
	log    *slog.Logger
	last   int32 // the last deployment that was announced
	failed int32 // the last whose failure was logged
}

// due reports whether a deployment was not announced yet.
func (a *announcer) due(no int32) bool { return a.call != nil && a.last != no }

func (a *announcer) announce(ctx context.Context, d bucketgen.Deployment) {
	no := int32(d.No)
	err := a.recovered(ctx, d)
	if err == nil {
		a.last = no
		return
	}
	if ctx.Err() == nil && a.failed != no {
		a.log.WarnContext(ctx, "OnDeploy failed, retrying", "component", "rollout", "deployment", no, "error", err)
	}
	a.failed = no
}

// recovered calls the function, and returns a panic as an error.
func (a *announcer) recovered(ctx context.Context, d bucketgen.Deployment) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return a.call(ctx, d)
}
