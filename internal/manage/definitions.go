package manage

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine"
)

// Definitions is a page of what was ever deployed.
type Definitions struct {
	Definitions []engine.Definition `json:"definitions" doc:"Definitions, ordered by bucket and time"`
	Next        string              `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

// Subscriptions is a page of the subscriptions to transitions.
type Subscriptions struct {
	Subscriptions []bucketgen.Subscription `json:"subscriptions" doc:"Subscriptions ordered by name, including those of other programs on the database"`
	Next          string                   `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

type definitionsInput struct {
	Page
	Bucket string `query:"bucket" doc:"List the definitions of this bucket only, which need not be defined now. Defaults to all" example:"power-users"`
}

// definitionKey is the place of a definition in their list.
type definitionKey struct {
	Bucket string `json:"bucket"`
	Since  int    `json:"since"`
}

func (a *api) definitions() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/definitions", OperationID: "listDefinitions", Tags: []string{"deployments"},
		Summary:     "List past and present definitions",
		Description: "What was ever deployed of each bucket, in words, and from when until when.",
	}, a.listDefinitions)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/subscriptions", OperationID: "listSubscriptions", Tags: []string{"outbox"},
		Summary:     "List the subscriptions to transitions",
		Description: "The subscriptions of handlers and forwarders, and what each of them wants.",
	}, a.listSubscriptions)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/buckets/{bucket}/criteria", OperationID: "getCriteria", Metadata: lookUp, Tags: []string{"buckets"},
		Summary:     "Get the criteria of a bucket as a tree",
		Description: "Each condition with what it asks about and what can change its result, and the policy in words.",
	}, func(_ context.Context, in *BucketPath) (engine.Criteria, error) {
		ref, err := a.bucket(in.Bucket)
		if err != nil {
			return engine.Criteria{}, err
		}
		c, err := a.engine.Inspect().Criteria(ref)
		c.Policy = orNone(c.Policy)
		return c, err
	}, http.StatusNotFound)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/buckets/{bucket}/uses", OperationID: "getUses", Metadata: lookUp, Tags: []string{"buckets"},
		Summary:     "Get what depends on a bucket, and what it depends on",
		Description: "The events, properties and buckets that its criteria asks about, the buckets that ask about it, and up to 1,000 subscriptions to it.",
	}, func(ctx context.Context, in *BucketPath) (engine.Uses, error) {
		ref, err := a.bucket(in.Bucket)
		if err != nil {
			return engine.Uses{}, err
		}
		return a.engine.Inspect().Uses(ctx, ref)
	}, http.StatusNotFound)
}

func (a *api) listDefinitions(ctx context.Context, in *definitionsInput) (Definitions, error) {
	list := "definitions " + in.Bucket
	after, err := keyAfter[definitionKey](&in.Page, list)
	if err != nil {
		return Definitions{}, err
	}
	all, err := a.engine.Deployments().Definitions(ctx)
	if err != nil {
		return Definitions{}, err
	}
	all = slices.DeleteFunc(all, func(d engine.Definition) bool { return in.Bucket != "" && d.BucketID != in.Bucket })
	if after != nil {
		all = slices.DeleteFunc(all, func(d engine.Definition) bool {
			return d.BucketID < after.Bucket || d.BucketID == after.Bucket && d.Since <= after.Since
		})
	}
	out := Definitions{Definitions: all}
	if len(all) > in.Limit {
		out.Definitions = all[:in.Limit]
		last := all[in.Limit-1]
		out.Next = keyCursor(list, &definitionKey{last.BucketID, last.Since})
	}
	return out, nil
}

func (a *api) listSubscriptions(ctx context.Context, in *Page) (Subscriptions, error) {
	const list = "subscriptions"
	after, err := keyAfter[string](in, list)
	if err != nil {
		return Subscriptions{}, err
	}
	if after == nil {
		after = new(string)
	}
	page, more, err := a.engine.Inspect().Subscriptions(ctx, *after, in.Limit)
	out := Subscriptions{Subscriptions: orNone(page)}
	if more {
		out.Next = keyCursor(list, &page[len(page)-1].Name)
	}
	return out, err
}
