package manage

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
)

// UserBuckets is where a user is.
type UserBuckets struct {
	UserID  string              `json:"userId" doc:"Id of the user"`
	Buckets []engine.BucketStay `json:"buckets" doc:"Those that the user is in, by their ids, with the stay in each"`
}

// Timeline is a page of what happened to a user.
type Timeline struct {
	Transitions []engine.Transition `json:"transitions" doc:"In the order in which they were decided. A page may have fewer than asked for although others follow"`
	Next        string              `json:"next,omitempty" doc:"The cursor of the next page; missing on the last one"`
}

type timelineInput struct {
	UserPath
	Page
}

func (a *api) users() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/users/{user}/buckets", OperationID: "listUserBuckets", Tags: []string{"users"},
		Summary:     "List the buckets of a user",
		Description: "The buckets that a user is in, and since when.",
	}, func(ctx context.Context, in *UserPath) (UserBuckets, error) {
		stays, err := a.engine.Stays(ctx, in.User)
		return UserBuckets{in.User, stays}, err
	}, http.StatusNotFound, http.StatusConflict)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/users/{user}/timeline", OperationID: "getTimeline", Tags: []string{"users"},
		Summary:     "Tell what happened to a user",
		Description: "All that happened to the memberships of a user, the oldest first, page by page.",
	}, a.timeline, http.StatusNotFound, http.StatusConflict)
	add(a, huma.Operation{
		Method: http.MethodDelete, Path: "/v1/users/{user}", OperationID: "deleteUser", Tags: []string{"users"},
		Summary: "Delete a user",
		Description: "Hides a user: they are in no bucket from now on, and nothing happens to them. What they do is stored, so that they can be restored. " +
			"Nothing happens if they are deleted already, or unknown.",
	}, func(ctx context.Context, in *UserPath) (Transitions, error) {
		return Transitions{[]engine.Transition{}}, a.engine.Delete(ctx, in.User)
	})
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/users/{user}/restore", OperationID: "restoreUser", Tags: []string{"users"},
		Summary:     "Restore a user who is deleted",
		Description: "What the user would have joined or left in the meantime, they join or leave now. Nothing happens if they are not deleted, or unknown.",
	}, func(ctx context.Context, in *UserPath) (Transitions, error) {
		made, err := a.engine.Restore(ctx, in.User)
		return Transitions{orNone(made)}, err
	})
}

func (a *api) timeline(ctx context.Context, in *timelineInput) (Timeline, error) {
	after, err := in.after("timeline")
	if err != nil {
		return Timeline{}, err
	}
	all, next, err := a.engine.HistoryPage(ctx, in.User, after, in.Limit)
	return Timeline{all, cursor("timeline", next)}, err
}
