package manage

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// StreamPath is the path of the stream of transitions, which package httpapi answers.
const StreamPath = "/v1/stream"

// stream describes the stream of transitions.
func (a *api) stream() {
	text := &huma.Schema{Type: "string"}
	many := func(name, doc string, of *huma.Schema) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: "array", Items: of}}
	}
	op := a.documented(huma.Operation{
		Method: http.MethodGet, Path: StreamPath, OperationID: "streamTransitions", Tags: []string{"events"},
		Summary: "Stream transitions as they are committed",
		Description: "Server-sent events: bucket.entered, bucket.left and bucket.dwell, each with a Transition as data and with a cursor as id; " +
			"with kind=merged also person.merged, with a Notice. While nothing " +
			"happens, a comment with the cursor comes every 15 seconds, unless the server is configured otherwise. Nothing is skipped: a client that comes " +
			"back continues after the cursor that it has.",
		Parameters: []*huma.Param{
			many("bucket", "Ids of the buckets to stream. Defaults to all", text),
			many("kind", "Kinds of transitions to stream, and merged for notices of merges. Defaults to all transitions", &huma.Schema{Ref: refs + "Kind"}),
			{Name: "user", In: "query", Description: "Id of the user whose transitions to stream. Defaults to all users", Schema: text},
			{Name: "by", In: "query", Description: "Kind of that id, if the user goes by it and has no user id. Defaults to user", Schema: text},
			{
				Name: "pace", In: "query", Schema: &huma.Schema{Type: "integer", Minimum: new(0.0), Maximum: new(60_000.0)},
				Description: "Milliseconds that transitions may wait so that several come together, which costs the server less. Defaults to 0",
			},
			{Name: "after", In: "query", Description: "Cursor after which the stream begins. Defaults to now", Schema: text},
			{Name: "Last-Event-ID", In: "header", Description: "Cursor after which the stream continues; it counts before after", Schema: text},
		},
	}, []int{http.StatusNotFound})
	op.Responses["200"] = &huma.Response{Content: map[string]*huma.MediaType{"text/event-stream": {Schema: text}}}
	a.huma.OpenAPI().AddOperation(&op)
}
