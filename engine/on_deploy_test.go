package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// announced are the deployments with which a function was called.
type announced chan engine.Deployment

func (c announced) next(t *testing.T) engine.Deployment {
	t.Helper()
	return waitfor.Next(t, c)
}

// poller finds out quickly what is deployed.
var poller = engine.Config{NoDelivery: true, ClockPoll: 2 * time.Millisecond, DeployPoll: 2 * time.Millisecond}

// TestDeploymentIsLeftToOthers has an engine that announces a deployment to its function, and does
// not let users follow by itself, not even after the function has failed.
func TestDeploymentIsLeftToOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.identify("ada", map[string]any{"plan": "pro"})
	other := &world{t: t, pool: w.pool, registry: registrytest.Build(t, pro), clock: w.clock}
	heard, refuse := make(announced, 10), true
	config := poller
	config.NoJobs = true
	other.Engine = other.start(config, func(e *engine.Engine) {
		must(t, e.Deployments().OnDeploy(func(_ context.Context, d engine.Deployment) error {
			heard <- d
			if refuse {
				refuse = false
				return errors.New("no route to host")
			}
			return nil
		}))
	})
	d := other.deploy(engine.DeployOptions{})
	equal(t, "announced", []int{heard.next(t).No, heard.next(t).No}, []int{d.No, d.No})
	all, _, err := other.Deployments().ListPage(t.Context(), engine.Page{Size: 1})
	must(t, err)
	equal(t, "followed", []any{all[0].No, all[0].Followed, all[0].Finished()}, []any{d.No, int64(0), false})
	d = other.backfill()
	equal(t, "followed by a backfill", []any{d.Followed, d.Finished(), other.has("pro", "ada")}, []any{int64(1), true, true})
	must(t, other.Deployments().Pause(t.Context(), other.ref("pro")))
	other.backfill()
	must(t, other.Deployments().Resume(t.Context(), other.ref("pro")))
	for next := heard.next(t); next.Kind != "resume"; next = heard.next(t) {
		if next.No == d.No {
			t.Errorf("deployment %d was announced a third time", d.No)
		}
	}
}

// TestDeploymentIsFollowedAndAnnounced has an engine that announces a deployment and lets users
// follow all the same.
func TestDeploymentIsFollowedAndAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.identify("ada", map[string]any{"plan": "pro"})
	other := &world{t: t, pool: w.pool, registry: registrytest.Build(t, pro), clock: w.clock}
	heard := make(announced, 10)
	other.Engine = other.start(poller, func(e *engine.Engine) {
		must(t, e.Deployments().OnDeploy(func(_ context.Context, d engine.Deployment) error {
			heard <- d
			panic("no thanks") // which keeps no user from following
		}))
	})
	d := other.deploy(engine.DeployOptions{})
	equal(t, "announced", heard.next(t).No, d.No)
	eventually(t, func() bool {
		all, _, err := other.Deployments().ListPage(t.Context(), engine.Page{Size: 1})
		return err == nil && all[0].No == d.No && all[0].Finished()
	})
	equal(t, "ada", other.has("pro", "ada"), true)
}

// TestReconciliationIsLeftToOthers starts an engine that does not reconcile by schedule, but on
// demand.
func TestReconciliationIsLeftToOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bucket.Define(bucket.Spec{ID: "hourly", Criteria: visit.Within(bucket.Hour).Exists(), ReconcileEvery: bucket.Hour}))
	w.track("ada", "visit")
	w.clock.Advance(time.Hour)
	config := poller
	config.NoJobs = true
	e := w.start(config, nil)
	begun := func() int { return w.count("select count(*) from bucketgen.reconciliations") }
	eventually(t, func() bool { return e.Stats().Settled == 1 }) // its clock runs
	equal(t, "by schedule", begun(), 0)
	if _, err := e.Deployments().Reconcile(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	equal(t, "on demand", begun(), 1)
	w.clock.Advance(time.Hour)
	w.start(poller, nil)
	eventually(t, func() bool { return begun() == 2 })
}

func TestOnDeployIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	e, err := engine.New(w.pool, w.registry, fast)
	must(t, err)
	f := func(context.Context, engine.Deployment) error { return nil }
	must(t, e.Deployments().OnDeploy(f))
	for want, err := range map[string]error{
		"there is one already": e.Deployments().OnDeploy(f), "is nil": e.Deployments().OnDeploy(nil), "before the engine starts": w.Deployments().OnDeploy(f),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
