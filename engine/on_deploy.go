package engine

import (
	"context"
	"errors"
	"fmt"
)

// OnDeploy registers who is told, before the engine starts, when this process finds that there is a deployment which users
// have still to follow: once for each, by one goroutine, which does nothing else meanwhile. After an error it is told again.
// Without it, or beside it, engines let users follow by themselves, unless [Config.NoJobs] or [Config.NoClock] is set.
func (e *Engine) OnDeploy(f func(ctx context.Context, d Deployment) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case f == nil:
		return errors.New("on deploy: the function is nil")
	case e.phase.Load() != fresh:
		return errors.New("on deploy: functions are registered before the engine starts")
	case e.onDeploy != nil:
		return errors.New("on deploy: there is one already")
	}
	e.onDeploy = f
	return nil
}

// announce tells of a deployment, unless that was done before. Only watch calls it. That somebody could not be told is no
// reason not to follow.
func (e *Engine) announce(ctx context.Context, no int32) error {
	if e.onDeploy == nil || e.announced == no {
		return nil
	}
	d, err := e.deployment(ctx, no)
	if err != nil {
		return err
	}
	if err := e.tellDeploy(ctx, d); err != nil {
		if ctx.Err() == nil && e.untold != no {
			e.log.WarnContext(ctx, "nobody could be told of a deployment, trying again until somebody can", "deployment", no, "error", err)
		}
		e.untold = no
		return nil
	}
	e.announced = no
	return nil
}

// tellDeploy calls the function. If that panics, it was not told.
func (e *Engine) tellDeploy(ctx context.Context, d Deployment) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return e.onDeploy(ctx, d)
}
