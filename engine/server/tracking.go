package server

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/problem"
	"github.com/bucketgen/bucketgen/internal/segment"
	"github.com/bucketgen/bucketgen/internal/strictjson"
)

// tracking is the part of the HTTP API that takes events in: Segment's tracking API.
type tracking struct {
	engine *engine.Engine
	gate   *gate
	log    *slog.Logger
	config HTTP
}

// route adds the routes.
func (t *tracking) route(mux *http.ServeMux) {
	post := func(path string, in intake, do func(*request) error) {
		mux.HandleFunc("POST "+path, t.handle(in, do))
		mux.HandleFunc("OPTIONS "+path, t.preflight)
	}
	for _, kind := range segment.Types {
		post("/v1/"+kind, segmentCall, func(r *request) error { return t.single(r, kind) })
	}
	post("/v1/batch", segmentBatch, t.batch)
	post("/v1/import", segmentBatch, t.batch)
	mux.HandleFunc("GET /v1/projects/{key}/settings", t.settings)
	mux.HandleFunc("OPTIONS /v1/projects/{key}/settings", t.preflight)
}

// Segment's SDKs send the key in a header, or as writeKey where they cannot set headers.
var (
	segmentCall  = intake{keys: []string{"writeKey"}}
	segmentBatch = intake{keys: []string{"writeKey"}, items: "batch"}
)

// single takes one call in.
func (t *tracking) single(r *request, kind string) error {
	c, err := segment.Parse(strictjson.SkipMark(r.body))
	if err == nil && c.Type != "" && c.Type != kind {
		err = &engine.InvalidError{Field: "type", Problem: fmt.Sprintf("is %q, but the call is %s", c.Type, kind)}
	}
	var d deed
	if err == nil {
		c.Type = kind
		d, err = t.deed(r, &c, len(r.body), c.SentAt)
	}
	if err != nil {
		return refusal(err)
	}
	results, err := t.do(r, []deed{d})
	if err != nil {
		return err
	}
	if err := results[0].Err; err != nil {
		return t.refused(r, err)
	}
	reply(r.writer, map[string]bool{"success": true})
	return nil
}

// batched is the answer to a batch.
type batched struct {
	Success  bool   `json:"success"`
	Accepted int    `json:"accepted"`
	Refused  int    `json:"refused,omitempty"`
	Results  []item `json:"results,omitempty"` // for those who ask for them by ?results=1
}

// item is what became of a call of a batch.
type item struct {
	MessageID string `json:"messageId,omitempty"`
	Status    string `json:"status"` // accepted, duplicate or refused
	Field     string `json:"field,omitempty"`
	Problem   string `json:"problem,omitempty"`
}

// batch takes calls in. One that is refused does not keep the others out.
func (t *tracking) batch(r *request) error {
	if r.envelope.Batch == nil {
		return problem.New(http.StatusBadRequest, "batch is missing; send an array of calls")
	}
	items := make([]item, len(r.envelope.Batch))
	deeds := make([]deed, 0, len(items))
	places := make([]int, 0, len(items))
	past := strings.HasSuffix(r.URL.Path, "/import") // told by a clock that is right
	for i, raw := range r.envelope.Batch {
		c, err := segment.Parse(raw)
		items[i].MessageID = c.MessageID
		var d deed
		if err == nil {
			sentAt := cmp.Or(r.envelope.SentAt, c.SentAt) // RudderStack's SDKs say it of each call
			if past {
				sentAt = ""
			}
			d, err = t.deed(r, &c, len(raw), sentAt)
		}
		if err != nil {
			items[i].refuse(err)
			continue
		}
		deeds, places = append(deeds, d), append(places, i)
	}
	results, err := t.do(r, deeds)
	if err != nil {
		return err
	}
	for n, result := range results {
		switch i := places[n]; {
		case result.Err != nil:
			items[i].refuse(t.refused(r, result.Err))
		case result.Duplicate:
			items[i].Status = "duplicate"
		default:
			items[i].Status = "accepted"
		}
	}
	answer := batched{Success: true}
	for _, it := range items {
		if it.Status == refusedItem {
			answer.Refused++
		} else {
			answer.Accepted++
		}
	}
	if r.URL.Query().Get("results") == "1" {
		answer.Results = items
	}
	reply(r.writer, answer)
	return nil
}

// refusedItem is the status of what was refused.
const refusedItem = "refused"

func (it *item) refuse(err error) {
	p := refusal(err)
	it.Status, it.Field, it.Problem = refusedItem, p.Field, p.Detail
}

// refusal says what is wrong with a call.
func refusal(err error) *problem.Problem {
	var p *problem.Problem
	if errors.As(err, &p) {
		return p
	}
	p = problem.New(http.StatusBadRequest, err.Error())
	if invalid, ok := errors.AsType[*engine.InvalidError](segment.Named(err)); ok {
		p.Field, p.Detail = invalid.Field, invalid.Problem
	}
	return p
}

// refused says why the engine did not take an event. What only the database can have found is for the log.
func (t *tracking) refused(r *request, err error) *problem.Problem {
	if _, invalid := errors.AsType[*engine.InvalidError](err); invalid {
		return refusal(err)
	}
	if errors.Is(err, engine.ErrDeleted) {
		return problem.New(http.StatusBadRequest, "one of the users is deleted")
	}
	t.log.ErrorContext(r.Context(), "an event could not be stored", "key", r.key.Name, "error", err)
	return problem.New(http.StatusBadRequest, "the event cannot be stored")
}

// settings answers what SDKs in browsers ask for before they begin.
func (t *tracking) settings(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	secret := r.PathValue("key")
	switch k, err := t.gate.public(r.Context(), secret); {
	case err != nil:
		t.gate.fail(w, r, t.log, k, err)
	default:
		reply(w, map[string]any{
			"integrations": map[string]any{"Segment.io": map[string]string{"apiKey": secret, "apiHost": r.Host + "/v1"}},
			"plan":         map[string]any{"track": map[string]any{"__default": map[string]bool{"enabled": true}}},
		})
	}
}

// preflight lets browsers send from any page.
func (t *tracking) preflight(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Content-Encoding")
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}
