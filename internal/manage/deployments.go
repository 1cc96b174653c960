package manage

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/problem"
)

// Deployments is a list of deployments.
type Deployments struct {
	Deployments []engine.Deployment `json:"deployments" doc:"Deployments, the newest first"`
	Next        string              `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

// Processes is a list of processes.
type Processes struct {
	Processes []engine.Process `json:"processes" doc:"Processes, the oldest first"`
}

type planInput struct {
	Sample float64 `query:"sample" default:"1" maximum:"1" doc:"Fraction of the users to evaluate, more than 0; the rest is estimated" example:"0.05"`
	Users  int     `query:"users" default:"5" minimum:"-1" maximum:"1000" doc:"Number of joining and leaving users to name for each bucket; -1 for none"`
	Emit   string  `query:"emit" default:"leaves" enum:"silent,leaves,all" doc:"Which transitions would be announced"`
}

func (a *api) deployments() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/plan", OperationID: "getPlan", Tags: []string{"deployments"},
		Summary: "Plan a deployment",
		Description: "Compares the buckets of this server with the deployed ones: which are new, changed or gone, who would join and leave, and " +
			"which subscriptions would be notified. Evaluates all users or a sample. Nothing is written.",
	}, a.plan)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/deployments", OperationID: "listDeployments", Tags: []string{"deployments"},
		Summary:     "List deployments and the progress of their backfills",
		Description: "The last deployments, pauses and resumptions. One is finished when its backfill has reached all users; until then, users and followed show the progress.",
	}, func(ctx context.Context, in *Page) (Deployments, error) {
		after, err := in.after("deployments")
		if err != nil {
			return Deployments{}, err
		}
		all, next, err := a.engine.Deployments().ListPage(ctx, engine.Page{After: after, Size: in.Limit})
		return Deployments{orNone(all), cursor("deployments", next)}, err
	})
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/processes", OperationID: "listProcesses", Tags: []string{"deployments"},
		Summary:     "List the processes",
		Description: "The engines that run on the database, and whether they have the deployed definitions.",
	}, func(ctx context.Context, _ *struct{}) (Processes, error) {
		all, err := a.engine.Deployments().Processes(ctx)
		return Processes{orNone(all)}, err
	})
}

func (a *api) plan(ctx context.Context, in *planInput) (engine.Plan, error) {
	if !(in.Sample > 0 && in.Sample <= 1) {
		return engine.Plan{}, problem.Of(http.StatusBadRequest, "sample", fmt.Sprintf("is %v; it must be more than 0 and at most 1", in.Sample))
	}
	if in.Users == 0 {
		in.Users = -1 // none, for the engine
	}
	p, err := a.engine.Plan(ctx, engine.PlanOptions{Sample: in.Sample, Users: in.Users, Emit: engine.Emit(in.Emit)})
	if err != nil {
		return engine.Plan{}, err
	}
	p.Buckets = orNone(p.Buckets)
	return *p, nil
}
