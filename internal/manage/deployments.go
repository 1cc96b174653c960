package manage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen"
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

// DeploymentDetail is a deployment with the progress of its backfill.
type DeploymentDetail struct {
	engine.Deployment
	Progress         float64 `json:"progress" doc:"Share of the users who have followed, from 0 to 1" example:"0.62"`
	RemainingSeconds float64 `json:"remainingSeconds,omitempty" doc:"Estimated time until all users have followed, in seconds; missing without an estimate"`
}

// NewDeployment says how to deploy.
type NewDeployment struct {
	_      struct{} `additionalProperties:"false"`
	Expect string   `json:"expect" minLength:"1" maxLength:"64" doc:"Fingerprint of the definitions to deploy. A server with others answers 409" example:"189652c5be25f730"`
	Emit   string   `json:"emit,omitempty" enum:"silent,leaves,all" doc:"Which transitions to announce. Defaults to leaves"`
	Rate   int      `json:"rate,omitempty" minimum:"0" maximum:"1000000" doc:"Number of users to evaluate a second at most. Defaults to 0, which is no limit"`
}

type deployInput struct {
	Body NewDeployment
}

type deploymentInput struct {
	No int `path:"no" minimum:"1" maximum:"2147483647" doc:"Number of the deployment" example:"3"`
}

func (a *api) deployments() {
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/deployments", OperationID: "deploy", Tags: []string{"deployments"},
		Summary: "Deploy the definitions of this server",
		Description: "From now on, servers with other definitions of a bucket leave it alone. Users who match a new bucket join it as of now, and a backfill " +
			"evaluates all users in the background. If the definitions are deployed already, nothing happens.",
	}, a.deploy, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/deployments/{no}", OperationID: "getDeployment", Tags: []string{"deployments"},
		Summary:     "Get a deployment and the progress of its backfill",
		Description: "A deployment, a pause or a resumption, with the share of the users who have followed it.",
	}, func(ctx context.Context, in *deploymentInput) (DeploymentDetail, error) {
		d, err := a.engine.Deployments().Get(ctx, in.No)
		if errors.Is(err, engine.ErrUnknownDeployment) {
			err = problem.Of(http.StatusNotFound, "no", "there is no deployment of this number")
		}
		return a.progressOf(d), err
	}, http.StatusNotFound)
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

func (a *api) plan(ctx context.Context, in *planInput) (bucketgen.Plan, error) {
	if !(in.Sample > 0 && in.Sample <= 1) {
		return bucketgen.Plan{}, problem.Of(http.StatusBadRequest, "sample", fmt.Sprintf("is %v; it must be more than 0 and at most 1", in.Sample))
	}
	if in.Users == 0 {
		in.Users = -1 // none, for the engine
	}
	p, err := a.engine.Plan(ctx, engine.PlanOptions{Sample: in.Sample, Users: in.Users, Emit: engine.Emit(in.Emit)})
	if err != nil {
		return bucketgen.Plan{}, err
	}
	p.Buckets = orNone(p.Buckets)
	return bucketgen.Plan(*p), nil
}

func (a *api) deploy(ctx context.Context, in *deployInput) (DeploymentDetail, error) {
	if mine := a.engine.Registry().Tables().Fingerprint; in.Body.Expect != mine {
		return DeploymentDetail{}, problem.Of(http.StatusConflict, "expect",
			"is "+in.Body.Expect+", and this server has the definitions "+mine+"; plan again, or ask a server that has them")
	}
	d, err := a.engine.Deploy(ctx, engine.DeployOptions{Emit: engine.Emit(in.Body.Emit), Rate: in.Body.Rate})
	if err != nil {
		return DeploymentDetail{}, err
	}
	noted(ctx, strconv.Itoa(d.No), "fingerprint %s, emit %s, rate %d", d.Fingerprint, d.Emit, d.Rate)
	return a.progressOf(d), nil
}

// progressOf returns how far users have followed a deployment.
func (a *api) progressOf(d engine.Deployment) DeploymentDetail {
	detail := DeploymentDetail{Deployment: d, Progress: 1}
	if d.Finished() || d.No == 0 {
		return detail
	}
	followed := min(d.Followed, d.Users)
	detail.Progress = float64(followed) / float64(max(d.Users, 1))
	if elapsed := a.engine.Now().Sub(d.At); followed > 0 && elapsed > 0 {
		detail.RemainingSeconds = elapsed.Seconds() / float64(followed) * float64(d.Users-followed)
	}
	return detail
}
