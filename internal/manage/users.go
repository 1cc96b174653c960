package manage

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// UserBuckets is where a user is.
type UserBuckets struct {
	UserID      string              `json:"userId,omitempty" doc:"Id by which the user goes; another one than was asked for if the user was merged; missing for a user without a user id"`
	AnonymousID string              `json:"anonymousId,omitempty"`
	IDs         map[string]string   `json:"ids,omitempty"`
	Buckets     []engine.BucketStay `json:"buckets" doc:"The buckets of the user with the current stay in each, ordered by id"`
}

// Timeline is a page of what happened to a user.
type Timeline struct {
	Transitions []engine.Transition `json:"transitions" doc:"Transitions in the order asked for"`
	Next        string              `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

func (a *api) users() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/users/{user}/buckets", OperationID: "listUserBuckets", Metadata: lookUp, Tags: []string{"users"},
		Summary:     "List the buckets of a user",
		Description: "The buckets of which a user is a member, with the time of each join.",
	}, func(ctx context.Context, in *UserPath) (UserBuckets, error) {
		name, stays, err := a.engine.Users().NamedStays(ctx, in.User)
		userID, anonymousID, ids := resolve.Split(name)
		return UserBuckets{userID, anonymousID, ids, stays}, err
	}, http.StatusNotFound, http.StatusConflict)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/users/{user}/timeline", OperationID: "getTimeline", Metadata: lookUp, Tags: []string{"users"},
		Summary:     "Get the timeline of a user",
		Description: "The transitions of a user in the order in which they were decided, page by page, those in buckets that are not defined any more among them.",
	}, a.timeline, http.StatusNotFound, http.StatusConflict)
	add(a, huma.Operation{
		Method: http.MethodDelete, Path: "/v1/users/{user}", OperationID: "deleteUser", Tags: []string{"users"},
		Summary: "Delete a user",
		Description: "Hides a user: they are a member of no bucket and have no transitions until they are restored. Their events are still stored. " +
			"Deleting an unknown or deleted user does nothing.",
	}, func(ctx context.Context, in *UserPath) (Transitions, error) {
		return Transitions{[]engine.Transition{}}, a.engine.Delete(ctx, in.User)
	})
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/users/{user}/restore", OperationID: "restoreUser", Tags: []string{"users"},
		Summary:     "Restore a deleted user",
		Description: "The joins and leaves that the user missed while deleted happen now. Restoring an unknown user or one who is not deleted does nothing.",
	}, func(ctx context.Context, in *UserPath) (Transitions, error) {
		made, err := a.engine.Restore(ctx, in.User)
		return Transitions{orNone(made)}, err
	})
}
