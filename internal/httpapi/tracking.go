package httpapi

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/problem"
	"github.com/bucketgen/bucketgen/internal/segment"
	"github.com/bucketgen/bucketgen/internal/strictjson"
)

// tracking is the part of the HTTP API that takes events in: Segment's tracking API.
type tracking struct {
	engine *engine.Engine
	auth   *auth
	config Config
}

// Segment's SDKs send the key in a header, or as writeKey where they cannot set headers. A beacon
// of RudderStack's has it in the URL.
var (
	segmentCall   = intake{keys: []string{"writeKey"}, types: forms}
	segmentBatch  = intake{keys: []string{"writeKey"}, items: "batch", types: forms}
	segmentBeacon = intake{keys: []string{"writeKey"}, query: []string{"writeKey"}, items: "batch", types: forms}
)

// forms is the Content-Type that curl and RudderStack's SDK for Node.js send for JSON by default.
var forms = []string{"application/x-www-form-urlencoded"}

// shortTypes are the types of calls by the names that they have in the paths of Segment's SDKs in
// browsers and on phones.
var shortTypes = map[string]string{"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias"}

// route adds the routes. SDKs of Segment in Java send to /v1/import/, so every path may end in a
// slash.
func (t *tracking) route(mux *http.ServeMux) {
	post := func(path string, in intake, do func(*request) error) {
		for _, path := range []string{path, path + "/{$}"} {
			mux.Handle("POST "+path, openHandler{t.handle(in, do)})
			mux.HandleFunc("OPTIONS "+path, t.preflight)
		}
	}
	get := func(path string, do http.HandlerFunc) {
		for _, path := range []string{path, path + "/{$}"} {
			mux.HandleFunc("GET "+path, do)
			mux.HandleFunc("OPTIONS "+path, t.preflight)
		}
	}
	for _, kind := range segment.Types {
		post("/v1/"+kind, segmentCall, func(r *request) error { return t.single(r, kind) })
	}
	for short, kind := range shortTypes {
		post("/v1/"+short, segmentCall, func(r *request) error { return t.single(r, kind) })
	}
	post("/v1/batch", segmentBatch, t.batch)
	post("/v1/b", segmentBatch, t.batch)
	post("/beacon/v1/batch", segmentBeacon, t.batch)
	post("/v1/import", segmentBatch, t.imported)
	t.routePostHog(post)
	get("/v1/projects/{key}/settings", t.settings)
	get("/sourceConfig", t.sourceConfig)
}

// single takes one call in.
func (t *tracking) single(r *request, kind string) error {
	items := []item{t.parse(r, strictjson.SkipMark(r.body), func(c *segment.Call) (string, error) {
		if c.Type != "" && c.Type != kind {
			return "", &engine.InvalidError{Field: "type", Problem: fmt.Sprintf("is %q, but the call is %s", c.Type, kind)}
		}
		c.Type = kind
		return c.SentAt, nil
	})}
	if err := t.do(r, items); err != nil {
		return err
	}
	if items[0].problem != nil {
		return items[0].problem
	}
	reply(r.writer, map[string]bool{"success": true})
	return nil
}

// batch takes calls in. One that is refused does not keep the others out.
func (t *tracking) batch(r *request) error {
	return t.calls(r, func(c *segment.Call) (string, error) {
		return cmp.Or(r.envelope.SentAt, c.SentAt), nil // RudderStack's SDKs say it of each call
	})
}

// imported takes calls of the past in, whose times come from a clock that is right.
func (t *tracking) imported(r *request) error {
	return t.calls(r, func(*segment.Call) (string, error) { return "", nil })
}

// calls takes the calls of a batch in. sentAt says when each was sent.
func (t *tracking) calls(r *request, sentAt func(*segment.Call) (string, error)) error {
	switch {
	case r.envelope.Array:
		return problem.New(http.StatusBadRequest, "the body is a JSON array; send an object")
	case r.envelope.Batch == nil:
		return problem.New(http.StatusBadRequest, "batch is missing; send an array of calls")
	}
	items := make([]item, len(r.envelope.Batch))
	for i, raw := range r.envelope.Batch {
		items[i] = t.parse(r, raw, sentAt)
	}
	if err := t.do(r, items); err != nil {
		return err
	}
	return t.answer(r, items)
}
