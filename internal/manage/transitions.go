package manage

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine"
)

// BucketTransitions is a page of what happened to a bucket.
type BucketTransitions struct {
	Transitions []engine.Transition `json:"transitions" doc:"Transitions in the order asked for"`
	Next        string              `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

type transitionsInput struct {
	BucketPath
	Page
	Kind   string    `query:"kind" enum:"entered,left,dwell" doc:"List transitions of this kind only. Defaults to all"`
	Source string    `query:"source" enum:"event,clock,reconcile,backfill,manual" doc:"List transitions with this cause only. Defaults to all"`
	Reason string    `query:"reason" enum:"criteria,maxDwell,manual,retired,merged,expired" doc:"List leaves for this reason only. Defaults to all transitions"`
	From   time.Time `query:"from" doc:"List transitions that became true at this time or later. Defaults to all" example:"2026-12-01T00:00:00Z"`
	To     time.Time `query:"to" doc:"List transitions that became true before this time. Defaults to all" example:"2026-12-02T00:00:00Z"`
	Order  string    `query:"order" enum:"asc,desc" default:"desc" doc:"Direction of time"`
}

func (a *api) transitions() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/buckets/{bucket}/transitions", OperationID: "listTransitions", Tags: []string{"buckets"},
		Summary: "List the transitions of a bucket",
		Description: "Joins, leaves and ticks by the time at which they became true, page by page. Transitions of deleted users are missing; those of " +
			"merged users have the id of that time.",
	}, a.listTransitions, http.StatusNotFound)
}

func (a *api) listTransitions(ctx context.Context, in *transitionsInput) (BucketTransitions, error) {
	ref, err := a.bucket(in.Bucket)
	if err != nil {
		return BucketTransitions{}, err
	}
	list := "transitions " + in.Order
	after, err := keyAfter[bucketgen.TimeKey](&in.Page, list)
	if err != nil {
		return BucketTransitions{}, err
	}
	page, err := a.engine.Inspect().Transitions(ctx, ref, engine.TransitionQuery{
		Kind: engine.Kind(in.Kind), Source: engine.Source(in.Source), Reason: engine.Reason(in.Reason), From: in.From, To: in.To,
		Oldest: in.Order != descending, After: after, Size: in.Limit,
	})
	return BucketTransitions{orNone(page.Transitions), keyCursor(list, page.Next)}, err
}
