package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// documented lets calls through and compares what they are answered with what the document says of
// it.
type documented struct{ t testing.TB }

// loaded is the document, in which nothing may be answered that it does not mention.
var loaded = sync.OnceValues(func() (*openapi3.T, error) {
	d, err := openapi3.NewLoader().LoadFromFile("../../docs/openapi.yaml")
	if err != nil {
		return nil, err
	}
	for _, s := range d.Components.Schemas {
		if s.Value.Type.Is("object") {
			s.Value.AdditionalProperties.Has = new(bool)
		}
	}
	return d, nil
})

// RoundTrip makes a call.
func (d documented) RoundTrip(r *http.Request) (*http.Response, error) {
	got, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(got.Body)
	if err != nil {
		return nil, err
	}
	_ = got.Body.Close()
	got.Body = io.NopCloser(bytes.NewReader(text))
	d.check(r, got, text)
	return got, nil
}

func (d documented) check(r *http.Request, got *http.Response, text []byte) {
	d.t.Helper()
	document, err := loaded()
	if err != nil {
		d.t.Fatal(err)
	}
	where := r.Method + " " + r.URL.EscapedPath() + ": " + got.Status
	op := operation(document, r)
	if op == nil {
		d.t.Errorf("%s: the document has no such operation", where)
		return
	}
	response := op.Responses.Value(strconv.Itoa(got.StatusCode))
	if response == nil {
		d.t.Errorf("%s: the document has no such status", where)
		return
	}
	content := response.Value.Content[got.Header.Get("Content-Type")]
	if content == nil {
		d.t.Errorf("%s: the document has no %s", where, got.Header.Get("Content-Type"))
		return
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		d.t.Errorf("%s: %v", where, err)
	}
	if err := content.Schema.Value.VisitJSON(v, openapi3.EnableFormatValidation()); err != nil {
		d.t.Errorf("%s is not what the document says: %v\n%s", where, err, text)
	}
}

// operation returns the operation that a request is one of.
func operation(d *openapi3.T, r *http.Request) *openapi3.Operation {
	asked := strings.Split(r.URL.EscapedPath(), "/")
	for path, item := range d.Paths.Map() {
		parts := strings.Split(path, "/")
		fits := len(parts) == len(asked)
		for i := 0; fits && i < len(parts); i++ {
			fits = parts[i] == asked[i] || strings.HasPrefix(parts[i], "{")
		}
		if fits {
			return item.GetOperation(r.Method)
		}
	}
	return nil
}
