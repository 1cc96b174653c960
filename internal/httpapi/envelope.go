package httpapi

import (
	"errors"
	"net/http"

	"github.com/bucketgen/bucketgen/internal/posthog"
	"github.com/bucketgen/bucketgen/internal/problem"
	"github.com/bucketgen/bucketgen/internal/strictjson"
)

// envelope is what stands around calls. Its calls share memory with the body.
type envelope struct {
	Batch  [][]byte // nil if there is none
	Array  bool     // the body is a list of calls, with nothing around them
	SentAt string

	SentAtPostHog string // sent_at
	Historical    bool   // historical_migration
}

// readEnvelope reads what stands around calls. Of the calls it checks the syntax only, so that one
// that is wrong does not keep the others out.
func readEnvelope(body []byte) (envelope, error) {
	var e envelope
	body = strictjson.SkipMark(body)
	if posthog.IsArray(body) {
		e.Array = true
		return e, unreadableJSON(e.calls(body))
	}
	err := strictjson.Envelope(body, func(name, value []byte) (err error) {
		switch string(name) {
		case "batch":
			if string(value) == "null" {
				return nil
			}
			err = e.calls(value)
		case "sentAt":
			e.SentAt, err = strictjson.Text(value)
		case "sent_at":
			e.SentAtPostHog, err = strictjson.Text(value)
		case "historical_migration":
			e.Historical = string(value) == "true"
		}
		return inMember(string(name), err)
	})
	return e, unreadableJSON(err)
}

// calls reads a list of calls.
func (e *envelope) calls(list []byte) error {
	e.Batch = [][]byte{}
	return strictjson.Array(list, func(call []byte) error {
		e.Batch = append(e.Batch, call)
		return nil
	})
}

// inMember adds the name of a member to an error of reading its value.
func inMember(name string, err error) error {
	if wrong, ok := errors.AsType[*strictjson.Error](err); ok && wrong.Path == "" {
		return &strictjson.Error{Path: name, Problem: wrong.Problem}
	}
	return err
}

// unreadableJSON returns an error of reading a body as a problem.
func unreadableJSON(err error) error {
	if wrong, ok := errors.AsType[*strictjson.Error](err); ok {
		p := problem.Of(http.StatusBadRequest, wrong.Path, "the body "+wrong.Problem)
		if wrong.Path != "" {
			p.Detail = wrong.Path + " " + wrong.Problem
		}
		return p
	}
	return err
}
