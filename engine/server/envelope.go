package server

import (
	"errors"
	"net/http"

	"github.com/bucketgen/bucketgen/internal/problem"
	"github.com/bucketgen/bucketgen/internal/strictjson"
)

// envelope is what stands around calls. Its calls share memory with the body.
type envelope struct {
	Batch    [][]byte // nil if there is none
	WriteKey string
	SentAt   string
}

// readEnvelope reads what stands around calls. Of the calls it checks the syntax only, so that one that is wrong does not keep
// the others out.
func readEnvelope(body []byte) (envelope, error) {
	var e envelope
	err := strictjson.Envelope(strictjson.SkipMark(body), func(name, value []byte) (err error) {
		switch string(name) {
		case "batch":
			if string(value) == "null" {
				return nil
			}
			e.Batch = [][]byte{}
			err = strictjson.Array(value, func(call []byte) error {
				e.Batch = append(e.Batch, call)
				return nil
			})
		case "writeKey":
			e.WriteKey, err = strictjson.ID(value)
		case "sentAt":
			e.SentAt, err = strictjson.Text(value)
		}
		return inMember(string(name), err)
	})
	return e, unreadableJSON(err)
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
