package manage

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
)

// Merge says into whom to merge a user.
type Merge struct {
	BodyKind

	_      struct{} `additionalProperties:"false"`
	Into   string   `json:"into" minLength:"1" maxLength:"255" doc:"Id of the user who stays; an unknown one is created" example:"ada"`
	DryRun bool     `json:"dryRun,omitempty" doc:"Only report what the merge would come to; nothing is written"`
}

// Merged is what a merge came to, or would come to.
type Merged struct {
	Transitions []engine.Transition  `json:"transitions" doc:"Transitions of the merged user, announced or not"`
	Preview     *engine.MergePreview `json:"preview,omitempty" doc:"What the merge would come to; only of a dry run"`
}

type mergeInput struct {
	UserPath
	Body Merge
}

func (a *api) merges() {
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/users/{user}/merge", OperationID: "mergeUser", Tags: []string{"users"},
		Summary: "Merge a user into another one",
		Description: "The user of the path becomes another name of the user in the body, who gets their events and stays. A user who was a member under either " +
			"id and still matches has neither entered nor left. A merge cannot be undone. Merging a user into themselves, by whichever of their names, does " +
			"nothing. With dryRun the merge is made in a transaction that is rolled back, and the answer has its preview.",
	}, a.mergeUser, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
}

func (a *api) mergeUser(ctx context.Context, in *mergeInput) (Merged, error) {
	into, said := in.Body.name(in.Body.Into), in.Body.said(in.Body.Into)
	if !in.Body.DryRun {
		noted(ctx, "", "into %s", said)
		made, err := a.engine.Merge(ctx, in.User, into)
		return Merged{Transitions: orNone(made)}, err
	}
	noted(ctx, "", "dry run: into %s", said)
	p, err := a.engine.Users().PreviewMerge(ctx, in.User, into)
	if err != nil {
		return Merged{}, err
	}
	p.Created, p.Properties, p.Stays, p.Transitions = orNone(p.Created), orNone(p.Properties), orNone(p.Stays), orNone(p.Transitions)
	return Merged{Transitions: p.Transitions, Preview: &p}, nil
}
