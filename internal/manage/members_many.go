package manage

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// ChangeMembers says which users to add to a manual bucket, or to remove from it.
type ChangeMembers struct {
	BodyKind

	_       struct{} `additionalProperties:"false"`
	UserIDs []string `json:"userIds" minItems:"1" maxItems:"1000" nullable:"false" doc:"Ids of the users" example:"[\"ada\"]"`
	Remove  bool     `json:"remove,omitempty" doc:"Remove the users instead of adding them"`
	DryRun  bool     `json:"dryRun,omitempty" doc:"Only report what would change; nothing is written"`
}

type changeMembersInput struct {
	BucketPath
	Body ChangeMembers
}

// maxMembers is how many bytes the body may have that names users: 1,000 of the longest ids fit
// into it.
const maxMembers = 1 << 20

func (a *api) manyMembers() {
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/buckets/{bucket}/members", OperationID: "changeMembers", Tags: []string{"buckets"}, MaxBodyBytes: maxMembers,
		Summary: "Add many users to a manual bucket, or remove them",
		Description: "Each user is changed by itself: one who is deleted or whose id is invalid is reported and does not stop the others. Unknown users are " +
			"created. Repeating a request does nothing. With dryRun nothing is written.",
	}, a.changeMembers, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
}

func (a *api) changeMembers(ctx context.Context, in *changeMembersInput) (engine.MemberChanges, error) {
	ref, err := a.manual(in.Bucket)
	if err != nil {
		return engine.MemberChanges{}, err
	}
	verb, do := "add", a.engine.Users().ChangeMembers
	if in.Body.DryRun {
		do = a.engine.Users().PreviewMembers
	}
	if in.Body.Remove {
		verb = "remove"
	}
	names := make([]string, len(in.Body.UserIDs))
	for i, id := range in.Body.UserIDs {
		names[i] = in.Body.name(id)
	}
	out, err := do(ctx, ref, in.Body.Remove, names)
	for i := range out.Refused {
		_, out.Refused[i].UserID = resolve.Parse(out.Refused[i].UserID)
	}
	if in.Body.DryRun {
		verb = "dry run: " + verb
	}
	noted(ctx, "", "%s %d users: %d changed, %d refused", verb, out.Asked, out.Changed, len(out.Refused))
	return out, err
}
