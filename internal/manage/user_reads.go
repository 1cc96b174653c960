package manage

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/problem"
)

// FoundUsers are what a search found.
type FoundUsers struct {
	Users []engine.FoundUser `json:"users" doc:"Users, those found by their id first"`
}

// UserEvents is a page of what a user did.
type UserEvents struct {
	Events []bucketgen.LoggedEvent `json:"events" doc:"Events, the newest first"`
	Next   string                  `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

// UserActivity is a page of what a user did and what happened to them.
type UserActivity struct {
	Activity []bucketgen.Activity `json:"activity" doc:"Events and transitions, the newest first; of one instant, transitions come first"`
	Next     string               `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

type searchInput struct {
	Text  string `query:"q" required:"true" minLength:"1" maxLength:"255" doc:"Beginning of an id, former id, e-mail address or property name" example:"ada"`
	Limit int    `query:"limit" default:"20" minimum:"1" maximum:"1000" doc:"Maximum number of users"`
}

// UserIDs are the ids of a user.
type UserIDs struct {
	UserID string      `json:"userId,omitempty" doc:"User id by which the user goes; missing for one without a user id"`
	IDs    []engine.ID `json:"ids" doc:"Ids, the name first, then the oldest first"`
}

type userEventsInput struct {
	UserPath
	Page
	Name string `query:"name" maxLength:"200" doc:"List events of this name only. Defaults to all" example:"order"`
}

type activityInput struct {
	UserPath
	Page
}

type timelineInput struct {
	UserPath
	Page
	Bucket string    `query:"bucket" doc:"List transitions in this bucket only. Defaults to all" example:"power-users"`
	From   time.Time `query:"from" doc:"List transitions that became true at this time or later. Defaults to all" example:"2026-12-01T00:00:00Z"`
	To     time.Time `query:"to" doc:"List transitions that became true before this time. Defaults to all" example:"2026-12-02T00:00:00Z"`
	Order  string    `query:"order" enum:"asc,desc" default:"asc" doc:"Direction of time"`
}

func (a *api) userReads() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/users", OperationID: "searchUsers", Tags: []string{"users"},
		Summary:     "Search users",
		Description: "Users who are known by something that begins with a text. Deleted users are found by their ids only.",
	}, func(ctx context.Context, in *searchInput) (FoundUsers, error) {
		found, err := a.engine.Users().Search(ctx, in.Text, in.Limit)
		return FoundUsers{orNone(found)}, err
	})
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/users/{user}", OperationID: "getUser", Metadata: lookUp, Tags: []string{"users"},
		Summary: "Get a user",
		Description: "Ids, times and properties of a user, each declared property with its last change. The id in the answer is another one if the user was " +
			"merged. Of a deleted user there are ids and times.",
	}, func(ctx context.Context, in *UserPath) (engine.User, error) {
		u, err := a.engine.Users().Get(ctx, in.User)
		u.Merged, u.AnonymousIDs, u.Traits = orNone(u.Merged), orNone(u.AnonymousIDs), orNone(u.Traits)
		return u, err
	}, http.StatusNotFound)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/users/{user}/ids", OperationID: "listUserIds", Tags: []string{"users"},
		Summary:     "Find a user by any id, and list all ids",
		Description: "Ids of the user to whom an id leads, the one by which the user goes first.",
	}, a.userIDs, http.StatusNotFound, http.StatusConflict)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/users/{user}/events", OperationID: "listUserEvents", Metadata: lookUp, Tags: []string{"users"},
		Summary:     "List the events of a user",
		Description: "What a user did and which traits were set, by the time at which it occurred, page by page.",
	}, a.userEvents, http.StatusNotFound, http.StatusConflict)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/users/{user}/activity", OperationID: "listUserActivity", Metadata: lookUp, Tags: []string{"users"},
		Summary:     "List the events and transitions of a user",
		Description: "What a user did and what happened to their memberships, in one order, page by page.",
	}, a.userActivity, http.StatusNotFound, http.StatusConflict)
}

func (a *api) userIDs(ctx context.Context, in *UserPath) (UserIDs, error) {
	ids, err := a.engine.People().IDs(ctx, in.User)
	if err != nil {
		return UserIDs{}, err
	}
	out := UserIDs{IDs: ids}
	if ids[0].Kind == engine.KindUser {
		out.UserID = ids[0].Value
	}
	return out, nil
}

func (a *api) userEvents(ctx context.Context, in *userEventsInput) (UserEvents, error) {
	const list = "events"
	after, err := keyAfter[bucketgen.TimeKey](&in.Page, list)
	if err != nil {
		return UserEvents{}, err
	}
	page, err := a.engine.Users().Events(ctx, in.User, in.Name, after, in.Limit)
	return UserEvents{orNone(page.Events), keyCursor(list, page.Next)}, err
}

func (a *api) userActivity(ctx context.Context, in *activityInput) (UserActivity, error) {
	const list = "activity"
	after, err := keyAfter[bucketgen.ActivityKey](&in.Page, list)
	if err != nil {
		return UserActivity{}, err
	}
	page, err := a.engine.Users().Activity(ctx, in.User, after, in.Limit)
	return UserActivity{orNone(page.Activity), keyCursor(list, page.Next)}, err
}

func (a *api) timeline(ctx context.Context, in *timelineInput) (Timeline, error) {
	list := "timeline " + in.Order
	after, err := in.after(list)
	if err != nil {
		return Timeline{}, err
	}
	all, next, err := a.engine.Users().Timeline(ctx, in.User, engine.TimelineQuery{
		BucketID: in.Bucket, From: in.From, To: in.To, Newest: in.Order == descending, After: after, Size: in.Limit,
	})
	if errors.Is(err, engine.ErrUnknownBucket) {
		return Timeline{}, problem.Of(http.StatusNotFound, "bucket", "no bucket of this id was ever defined")
	}
	return Timeline{orNone(all), cursor(list, next)}, err
}
