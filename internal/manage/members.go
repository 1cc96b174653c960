package manage

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/registry"
)

// Members is a page of the members of a bucket.
type Members struct {
	Members []engine.Member `json:"members" doc:"Members in the order asked for"`
	AsOf    time.Time       `json:"asOf" doc:"Moment at which they are, or were, members"`
	Next    string          `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

// Membership is whether a user is in a bucket.
type Membership struct {
	BucketID    string            `json:"bucketId" doc:"Id of the bucket"`
	UserID      string            `json:"userId,omitempty" doc:"Id of the user; missing for a user without a user id"`
	AnonymousID string            `json:"anonymousId,omitempty"`
	IDs         map[string]string `json:"ids,omitempty"`
	Member      bool              `json:"member" doc:"Whether the user is a member of the bucket"`
	Stay        *engine.Stay      `json:"stay,omitempty" doc:"Latest stay of the user in the bucket; missing if there was none"`
}

// Transitions is what came of a change.
type Transitions struct {
	Transitions []engine.Transition `json:"transitions" doc:"Transitions in order; empty if nothing changed"`
}

type membersInput struct {
	BucketPath
	Page
	MemberFilter
}

func (a *api) members() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/buckets/{bucket}/members", OperationID: "listMembers", Tags: []string{"buckets"},
		Summary: "List the members of a bucket",
		Description: "The members of a bucket, now or at a time, page by page. Each member is on exactly one page, except that a user who joins or leaves " +
			"meanwhile may be missing. The other filters are about the present members.",
	}, a.listMembers, http.StatusNotFound)
	a.exportMembers()
	const path = "/v1/buckets/{bucket}/members/{user}"
	add(a, huma.Operation{
		Method: http.MethodGet, Path: path, OperationID: "getMember", Metadata: lookUp, Tags: []string{"buckets"},
		Summary:     "Check whether a user is in a bucket",
		Description: "Whether a user is a member of a bucket, with their current or last stay.",
	}, a.member, http.StatusNotFound, http.StatusConflict)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: path + "/explain", OperationID: "explainMember", Metadata: lookUp, Tags: []string{"buckets"},
		Summary: "Explain why a user is in a bucket or not",
		Description: "What each condition of the criteria evaluates to, the effect of the policy, and what happens next if no event arrives. " +
			"It changes nothing.",
	}, a.explain, http.StatusNotFound, http.StatusConflict)
	add(a, huma.Operation{
		Method: http.MethodPut, Path: path, OperationID: "addMember", Tags: []string{"buckets"},
		Summary:     "Add a user to a manual bucket",
		Description: "Adding a member does nothing. An unknown user is created.",
	}, a.change((*engine.Engine).Add), http.StatusNotFound, http.StatusConflict)
	add(a, huma.Operation{
		Method: http.MethodDelete, Path: path, OperationID: "removeMember", Tags: []string{"buckets"},
		Summary:     "Remove a user from a manual bucket",
		Description: "The user leaves regardless of the minimum dwell. Removing an unknown user or one who is not a member does nothing.",
	}, a.change((*engine.Engine).Remove), http.StatusNotFound, http.StatusConflict)
}

func (a *api) listMembers(ctx context.Context, in *membersInput) (Members, error) {
	ref, err := a.bucket(in.Bucket)
	if err != nil {
		return Members{}, err
	}
	if err := in.check(); err != nil {
		return Members{}, err
	}
	list := in.list()
	after, err := keyAfter[bucketgen.TimeKey](&in.Page, list)
	if err != nil {
		return Members{}, err
	}
	page, err := a.memberPage(ctx, ref, &in.MemberFilter, after, in.Limit)
	return Members{page.Members, page.AsOf, keyCursor(list, page.Next)}, err
}

func (a *api) member(ctx context.Context, in *MemberPath) (Membership, error) {
	ref, err := a.bucket(in.Bucket)
	if err != nil {
		return Membership{}, err
	}
	stay, was, err := a.engine.Users().LatestStay(ctx, ref, in.User)
	if err != nil {
		return Membership{}, err
	}
	m := Membership{BucketID: in.Bucket}
	m.UserID, m.AnonymousID, m.IDs = resolve.Split(in.User)
	if was {
		m.Member, m.Stay = stay.LeftAt.IsZero(), &stay
	}
	return m, nil
}

func (a *api) explain(ctx context.Context, in *MemberPath) (engine.Explanation, error) {
	ref, err := a.bucket(in.Bucket)
	if err != nil {
		return engine.Explanation{}, err
	}
	x, err := a.engine.Explain(ctx, ref, in.User)
	x.Policy = orNone(x.Policy)
	return x, err
}

// change adds or removes a user.
func (a *api) change(do func(*engine.Engine, context.Context, registry.ManualRef, string) ([]engine.Transition, error)) func(context.Context, *MemberPath) (Transitions, error) {
	return func(ctx context.Context, in *MemberPath) (Transitions, error) {
		ref, err := a.manual(in.Bucket)
		if err != nil {
			return Transitions{}, err
		}
		made, err := do(a.engine, ctx, ref, in.User)
		return Transitions{orNone(made)}, err
	}
}
