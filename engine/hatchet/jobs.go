package hatchet

import (
	"context"
	"fmt"
	"time"

	v0 "github.com/hatchet-dev/hatchet/pkg/client"
	"github.com/hatchet-dev/hatchet/pkg/client/types"
	sdk "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/bucketgen/bucketgen/engine"
)

// The events that start jobs.
const (
	deployedEvent  = "bucket:deployed"
	reconcileEvent = "bucket:reconcile" // for a run out of turn
)

// deployed starts a job for the backfill of a deployment. The engine waits for it, hence the short
// timeout, and calls it again if it fails. A cron finds the deployment within a minute in any case.
func (a *Adapter) deployed(ctx context.Context, d engine.Deployment) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return a.announce(ctx, []v0.EventWithAdditionalMetadata{{
		Key: deployedEvent, Event: d,
		AdditionalMetadata: map[string]string{idempotencyKey: fmt.Sprintf("%s:%d", deployedEvent, d.No)},
	}})
}

// backfillTask takes all users through what is deployed. Where it is interrupted, the next run goes
// on: how far users have followed is in the database.
func (a *Adapter) backfillTask() *sdk.StandaloneTask {
	return a.client.tasks.NewStandaloneTask(ownTasks+"backfill", func(ctx sdk.Context, _ map[string]any) (engine.Deployment, error) {
		alive := keepAlive(ctx)
		defer alive()
		return a.engine.Deployments().Backfill(ctx, func(d engine.Deployment) {
			ctx.Log(fmt.Sprintf("deployment %d: %d of %d users have followed, %d joined, %d left", d.No, d.Followed, d.Users, d.Joined, d.Left))
		})
	}, job(sdk.WithWorkflowEvents(deployedEvent), sdk.WithWorkflowCron("* * * * *"))...)
}

// reconcileTask derives all memberships anew, by schedule, as far as there is one.
func (a *Adapter) reconcileTask() *sdk.StandaloneTask {
	triggers := []sdk.StandaloneTaskOption{sdk.WithWorkflowEvents(reconcileEvent)}
	if a.config.ReconcileCron != "" {
		triggers = append(triggers, sdk.WithWorkflowCron(a.config.ReconcileCron))
	}
	return a.client.tasks.NewStandaloneTask(ownTasks+"reconcile", func(ctx sdk.Context, _ map[string]any) (engine.Reconciliation, error) {
		alive := keepAlive(ctx)
		defer alive()
		return a.engine.Deployments().Reconcile(ctx, func(r engine.Reconciliation) {
			ctx.Log(fmt.Sprintf("%d of %d users were checked, %d memberships repaired", r.Checked, r.Users, r.Repaired))
		})
	}, job(triggers...)...)
}

// jobPatience is how long a job may give no sign of life.
const jobPatience = 5 * time.Minute

// job returns the options of jobs: there is one at a time, and those that come meanwhile queue up
// behind it.
func job(more ...sdk.StandaloneTaskOption) []sdk.StandaloneTaskOption {
	one, queue := int32(1), types.GroupRoundRobin
	return append([]sdk.StandaloneTaskOption{
		sdk.WithRetries(20), sdk.WithRetryBackoff(2, 600), sdk.WithScheduleTimeout(24 * time.Hour), sdk.WithExecutionTimeout(jobPatience),
		sdk.WithWorkflowConcurrency(types.Concurrency{Expression: "'one'", MaxRuns: &one, LimitStrategy: &queue}),
	}, more...)
}

// keepAlive lets a run take as long as it takes, until the function that it returns is called.
func keepAlive(ctx sdk.Context) (stop func()) {
	alive, stop := context.WithCancel(ctx)
	go func() {
		ticker := time.NewTicker(jobPatience / 5)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				if err := ctx.RefreshTimeout((jobPatience / 5).String()); err != nil {
					ctx.Log(fmt.Sprintf("the time limit could not be put off: %v", err))
				}
			case <-alive.Done():
				return
			}
		}
	}()
	return stop
}
