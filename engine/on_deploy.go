package engine

import (
	"context"
	"errors"
)

// OnDeploy registers a function, before the engine starts, that is called when this process finds a
// deployment which users have still to follow: once for each, by one goroutine, which does nothing
// else meanwhile. After an error it is called again. Without it, or beside it, engines take users
// through deployments by themselves, unless [Config.NoJobs] or [Config.NoClock] is set.
func (g *Deployments) OnDeploy(f func(ctx context.Context, d Deployment) error) error {
	e := (*Engine)(g)
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
