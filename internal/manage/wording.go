package manage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/internal/problem"
)

// ours turns what huma finds wrong with a request into a problem. (huma.NewError would do that as
// well, but for every API of the program that this is a part of.)
func ours(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	status := statusOf(m.Status)
	switch status {
	case http.StatusBadRequest:
		return invalid(m), nil
	case http.StatusRequestEntityTooLarge:
		return problem.New(status, fmt.Sprintf("the body has more than %d bytes", maxBody)), nil
	case http.StatusUnsupportedMediaType:
		return problem.New(status, fmt.Sprintf("the Content-Type is %q; send application/json", ctx.Header("Content-Type"))), nil
	case http.StatusRequestTimeout:
		return problem.New(status, "the body did not arrive in time"), nil
	}
	return problem.New(status, "the body cannot be read"), nil
}

// invalid says which fields are wrong.
func invalid(m *huma.ErrorModel) *problem.Problem {
	if len(m.Errors) == 0 { // huma says so only of a body that is not there
		return problem.New(http.StatusBadRequest, "there is no body; send a JSON object")
	}
	var p *problem.Problem
	for _, e := range m.Errors {
		field := e.Location
		for _, where := range []string{"query.", "path.", "body."} {
			field = strings.TrimPrefix(field, where)
		}
		switch {
		case field == "body":
			return problem.New(http.StatusBadRequest, ofBody(e))
		case p == nil:
			p = problem.Of(http.StatusBadRequest, field, wording(e))
		default:
			p.Others = append(p.Others, problem.Wrong{Field: field, Detail: wording(e)})
		}
	}
	return p
}

// ofBody says what is wrong with a body as a whole.
func ofBody(e *huma.ErrorDetail) string {
	switch {
	case e.Message == "expected object":
		return "the body is " + shown(e.Value) + "; send an object"
	case strings.Contains(e.Message, "unmarshal"): // a number that is none of Go, for instance
		return "the body does not match the schema; see " + document
	default:
		return "the body is not JSON: " + e.Message
	}
}

// document names the place of the OpenAPI document.
const document = "the document at /v1/openapi.json"

// wordings are what huma says of fields, and what is said here instead, with the VALUE and the REST
// of what huma says.
var wordings = []struct{ said, says string }{
	{"unknown query parameter", "is not a parameter of this operation; see " + document},
	{"unexpected property", "is not a property of this object; see " + document},
	{"invalid integer", "is VALUE; write a whole number"},
	{"expected integer", "is VALUE; write a whole number"},
	{"invalid float", "is VALUE; write a number"},
	{"expected boolean", "is VALUE; write true or false"},
	{"expected array length >= ", "has too few items; send REST or more"},
	{"expected array length <= ", "has too many items; send REST at most"},
	{"expected array", "is VALUE; write an array"},
	{"expected number >= ", "is VALUE; it must be REST or more"},
	{"expected number <= ", "is VALUE; it must be REST or less"},
	{"expected value to be one of ", "is VALUE; use REST"},
	{"invalid date/time", "is VALUE; write a time like 2026-12-01T00:00:00Z"},
}

// wording says what is wrong with a field, and what to do. What it has no words for is said as huma
// says it.
func wording(e *huma.ErrorDetail) string {
	for _, w := range wordings {
		rest, ok := strings.CutPrefix(e.Message, w.said)
		if !ok {
			continue
		}
		rest = strings.Trim(rest, `"`)
		if i := strings.LastIndex(rest, ", "); i >= 0 {
			rest = rest[:i] + " or " + rest[i+2:]
		}
		return strings.NewReplacer("VALUE", shown(e.Value), "REST", rest).Replace(w.says)
	}
	return e.Message
}

// shown is a value as JSON has it, if it is short.
func shown(v any) string {
	switch v := v.(type) {
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	case string:
		const most = 100
		if len(v) > most {
			v = strings.ToValidUTF8(v[:most], "") + "…"
		}
		return fmt.Sprintf("%q", v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v) // a number that JSON does not have
	}
	return string(text)
}
