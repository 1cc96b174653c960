package manage

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
)

// Events is a page of the latest events of this server.
type Events struct {
	Events []engine.RecentEvent `json:"events" doc:"Events, the newest first"`
	Since  time.Time            `json:"since,omitzero" doc:"When the oldest event was received that the server keeps; missing if it keeps none"`
	Next   string               `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

// CatalogNames is a page of event names, or of properties.
type CatalogNames struct {
	Names []engine.CatalogName `json:"names" doc:"The names of the page, in order"`
	Total int                  `json:"total" doc:"Number of names on all pages"`
	AsOf  time.Time            `json:"asOf" doc:"Moment of all numbers"`
	Next  string               `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

type eventsInput struct {
	Page
	UserQuery
	Name string `query:"name" maxLength:"200" doc:"List events of this name only. Defaults to all" example:"order"`
}

type namesInput struct {
	Page
	Text     string `query:"q" maxLength:"200" doc:"Part of the name, in any letter case" example:"order"`
	Declared string `query:"declared" enum:"true,false" doc:"List only declared names, or only undeclared ones. Defaults to both"`
	Seen     string `query:"seen" enum:"true,false" doc:"List only names that have arrived, or only those that have not. Defaults to both"`
}

type liveInput struct {
	Bucket string `query:"bucket" maxLength:"255" doc:"Count transitions of this bucket only. Defaults to all" example:"power-users"`
}

func (a *api) events() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/events", OperationID: "listEvents", Tags: []string{"events"},
		Summary: "List the latest events",
		Description: "The latest events that this server has stored, page by page. It keeps as many as its setting RecentBytes allows, in memory: events of " +
			"before its start are missing, and those of other servers.",
	}, func(_ context.Context, in *eventsInput) (Events, error) {
		after, err := in.after("events")
		if err != nil {
			return Events{}, err
		}
		page := a.engine.Inspect().RecentEvents(engine.RecentQuery{Name: in.Name, UserID: in.User, After: after, Size: in.Limit})
		return Events{page.Events, page.Since, cursor("events", page.Next)}, nil
	})
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/catalog/events", OperationID: "listEventNames", Tags: []string{"events"},
		Summary: "List the names of events",
		Description: "The declared and the received event names by the hour in which they arrived, with the buckets that ask about them. A declared name " +
			"that was never received, and a received one that is not declared, list the names that may be meant.",
	}, func(ctx context.Context, in *namesInput) (CatalogNames, error) { return a.names(ctx, in, false) })
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/catalog/properties", OperationID: "listProperties", Tags: []string{"events"},
		Summary:     "List the properties of users",
		Description: "The declared and the received properties of users, with what listEventNames says of names of events.",
	}, func(ctx context.Context, in *namesInput) (CatalogNames, error) { return a.names(ctx, in, true) })
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/live", OperationID: "getLive", Tags: []string{"events"},
		Summary: "Count the transitions of the last minute",
		Description: "How many announced transitions were committed lately, by second and by bucket. The server counts from the first call on, and for 30 " +
			"seconds after each: since is when it began.",
	}, func(ctx context.Context, in *liveInput) (engine.Live, error) {
		if in.Bucket == "" {
			return a.engine.Inspect().Live(ctx, nil)
		}
		ref, err := a.bucket(in.Bucket)
		if err != nil {
			return engine.Live{}, err
		}
		return a.engine.Inspect().Live(ctx, ref)
	}, http.StatusNotFound)
}

// names lists event names, or properties.
func (a *api) names(ctx context.Context, in *namesInput, properties bool) (CatalogNames, error) {
	list := map[bool]string{false: "event names", true: "properties"}[properties]
	q := engine.NameQuery{Properties: properties, Text: in.Text, Declared: truth(in.Declared), Seen: truth(in.Seen), Size: in.Limit}
	after, err := keyAfter[string](&in.Page, list)
	if err != nil {
		return CatalogNames{}, err
	}
	if after != nil {
		q.After = *after
	}
	page, err := a.engine.Inspect().Names(ctx, q)
	out := CatalogNames{Names: page.Names, Total: page.Total, AsOf: page.AsOf}
	if page.Next != "" {
		out.Next = keyCursor(list, &page.Next)
	}
	return out, err
}

// truth returns what a filter that is true or false asks for; nil if it is left out.
func truth(text string) *bool {
	if text == "" {
		return nil
	}
	is := text == "true"
	return &is
}
