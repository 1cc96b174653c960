package manage

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
)

// Health is what the checks of an installation found.
type Health struct {
	Findings []Finding `json:"findings" doc:"One finding for each check"`
}

// Finding is the result of one check.
type Finding struct {
	Name  string `json:"name" doc:"Name of the check" example:"outbox"`
	State string `json:"state" enum:"ok,warning,failed,skipped" doc:"Whether all is well"`
	Says  string `json:"says" doc:"What was found"`
	Fix   string `json:"fix,omitempty" doc:"How to solve the problem; missing without one"`
}

// Due is how many due instants come in which hour.
type Due struct {
	Hours []engine.DueHour `json:"hours" doc:"Hours in UTC that have due instants, in order. The first has all that are overdue, too"`
}

type dueInput struct {
	Hours int `query:"hours" default:"24" minimum:"1" maximum:"744" doc:"Number of hours ahead"`
}

func (a *api) health() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/health", OperationID: "getHealth", Tags: []string{"deployments"},
		Summary:     "Check the installation",
		Description: "The findings of bucketd doctor with its remedies, as this server sees them. It changes nothing.",
	}, func(ctx context.Context, _ *struct{}) (Health, error) {
		return Health{orNone(a.options.Examine(ctx))}, nil
	})
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/due", OperationID: "getDue", Tags: []string{"deployments"},
		Summary: "Count due instants by the hour",
		Description: "How many users and buckets the clock evaluates in each of the coming hours if no event arrives. The time grows with their number; " +
			"at most a million are counted.",
	}, func(ctx context.Context, in *dueInput) (Due, error) {
		all, err := a.engine.Clock().DueByHour(ctx, in.Hours)
		return Due{orNone(all)}, err
	})
}
