package manage

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
)

const contentLines = "application/x-ndjson"

// exportLines adds the operation that exports a person.
func (a *api) exportLines(op huma.Operation) {
	op.Method = http.MethodGet
	op = a.documented(op, []int{http.StatusNotFound})
	op.Responses["200"] = &huma.Response{Content: map[string]*huma.MediaType{contentLines: {Schema: &huma.Schema{Type: "string"}}}}
	a.access[op.Method+" "+op.Path] = accessOf(&op)
	huma.Register(a.huma, op, func(ctx context.Context, in *UserPath) (*huma.StreamResponse, error) {
		x := exchangeOf(ctx)
		next, stop := iter.Pull2(a.engine.People().Export(x.request.Context(), "", in.User))
		first, err, more := next()
		if err != nil {
			stop()
			return nil, a.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(huma.Context) {
			defer stop()
			a.writeLines(x, first, more, next)
		}}, nil
	})
}

// writeLines writes the rows of a person. An answer that cannot be completed is broken off.
func (a *api) writeLines(x exchange, row engine.PersonRow, more bool, next func() (engine.PersonRow, error, bool)) {
	ctx, control := x.request.Context(), http.NewResponseController(x.writer)
	x.writer.Header().Set("Content-Type", contentLines)
	x.writer.Header().Set("Content-Disposition", `attachment; filename="person.jsonl"`)
	x.writer.Header().Set("Cache-Control", "no-store")
	out := json.NewEncoder(x.writer)
	out.SetEscapeHTML(false)
	var err error
	for n := 0; more && err == nil; n++ {
		if n%exportPage == 0 { // the deadlines of the server are for requests that end soon
			if err = control.SetWriteDeadline(time.Now().Add(exportPatience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
				break
			}
		}
		if err = out.Encode(row); err == nil {
			row, err, more = next()
		}
	}
	if err != nil {
		if ctx.Err() == nil {
			a.options.Failed(ctx, err)
		}
		panic(http.ErrAbortHandler) // so that the client does not take what it has for all
	}
}
