package httpapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/problem"
	"github.com/bucketgen/bucketgen/internal/segment"
)

// item is a call, and what became of it.
type item struct {
	MessageID string `json:"messageId,omitempty"`
	Status    string `json:"status"` // accepted, duplicate, suppressed or refused
	Code      string `json:"code,omitempty"`
	Field     string `json:"field,omitempty"`
	Problem   string `json:"problem,omitempty"`

	Warnings []warning `json:"warnings,omitempty"` // about ids that were ignored

	effects []effect          // what it asks for; none if it is refused
	problem *problem.Problem  // why it is refused
	names   func(error) error // names fields as its API does
}

// warning says that an id of a call was ignored.
type warning struct {
	Code    string `json:"code"`
	Problem string `json:"problem"`
}

// The statuses of items.
const (
	acceptedItem   = "accepted"
	duplicateItem  = "duplicate"
	suppressedItem = "suppressed" // the person was erased, and nothing is stored
	refusedItem    = "refused"
)

// refuse notes why a call is refused, in few words: a batch has many.
func (it *item) refuse(p *problem.Problem) {
	p.Detail, p.Field = short(p.Detail), short(p.Field)
	it.Status, it.Code, it.Field, it.Problem, it.problem, it.effects = refusedItem, p.Code, p.Field, p.Detail, p, nil
}

// parse reads a call of Segment's API. sentAt says when it was sent, or what is wrong with it.
func (t *tracking) parse(r *request, raw []byte, sentAt func(*segment.Call) (string, error)) item {
	c, err := segment.Parse(raw)
	it := item{MessageID: short(c.MessageID), names: segment.Named}
	var sent string
	if err == nil {
		sent, err = sentAt(&c)
	}
	if err == nil {
		it.effects, err = t.effects(r, &c, len(raw), sent)
	}
	if err != nil {
		it.refuse(refusal(it.names(err)))
	}
	return it
}

// batched is the answer to a batch.
type batched struct {
	Success  bool   `json:"success"`
	Accepted int    `json:"accepted"` // suppressed calls among them
	Refused  int    `json:"refused,omitempty"`
	Results  []item `json:"results,omitempty"` // for those who ask for them by ?results=1
}

// answer says what became of the calls of a batch. If all were refused it is a problem, since SDKs
// go by the status only.
func (t *tracking) answer(r *request, items []item) error {
	answer := batched{Success: true}
	for i := range items {
		if items[i].Status == refusedItem {
			answer.Refused++
		} else {
			answer.Accepted++
		}
	}
	whole := r.URL.Query().Get("results") == "1"
	if answer.Accepted == 0 && answer.Refused > 0 {
		return allRefused(items, whole)
	}
	if whole {
		answer.Results = items
	}
	reply(r.writer, answer)
	return nil
}

// allRefused is the answer to a batch of which nothing was accepted: that of the first call, and of
// the others where they are asked for. The status is 403 if each was refused by it, so that it is
// known that another key would do.
func allRefused(items []item, whole bool) *problem.Problem {
	first := items[0].problem
	p := problem.Of(first.Status, inBatch(0, first.Field), first.Detail)
	p.Code = first.Code
	for i := range items[1:] {
		it := items[1+i].problem
		if it.Status != p.Status {
			p.Status, p.Title = http.StatusBadRequest, http.StatusText(http.StatusBadRequest)
		}
		if whole {
			p.Others = append(p.Others, problem.Wrong{Field: inBatch(1+i, it.Field), Detail: it.Detail})
		}
	}
	return p
}

// inBatch names a field of a call of a batch.
func inBatch(i int, field string) string {
	if field == "" {
		return fmt.Sprintf("batch[%d]", i)
	}
	return fmt.Sprintf("batch[%d].%s", i, field)
}

// previous names the field of an alias that is refused.
func (it *item) previous() string {
	if invalid, ok := errors.AsType[*engine.InvalidError](it.names(&engine.InvalidError{Field: "from"})); ok {
		return invalid.Field
	}
	return ""
}

// The codes of aliases that are refused: of two users by a key that is not trusted with that, and
// of an id that users share.
const (
	mergeNotAllowed = "merge-not-allowed"
	sharedID        = "id-shared"
)

// ignoredID is the code of a warning about an external id that is not read.
const ignoredID = "ignored-id"

// refusal says what is wrong with a call.
func refusal(err error) *problem.Problem {
	var p *problem.Problem
	if errors.As(err, &p) {
		return p
	}
	p = problem.New(http.StatusBadRequest, err.Error())
	if invalid, ok := errors.AsType[*engine.InvalidError](err); ok {
		p.Field, p.Detail = invalid.Field, invalid.Problem
	}
	return p
}

// refused says why the engine did not take an event. What only the database can have found is for
// the log.
func (t *tracking) refused(r *request, it *item, err error) *problem.Problem {
	err = it.names(err)
	if _, invalid := errors.AsType[*engine.InvalidError](err); invalid {
		return refusal(err)
	}
	switch {
	case errors.Is(err, engine.ErrDeleted):
		return problem.New(http.StatusBadRequest, "one of the users is deleted")
	case errors.Is(err, engine.ErrMergeNotAllowed):
		p := problem.Of(http.StatusForbidden, it.previous(), fmt.Sprintf(
			"is a known user, whom the %s key %q may not merge into another; send the alias by a server key", r.key.Kind, r.key.Name))
		p.Code = mergeNotAllowed
		return p
	}
	if errors.Is(err, engine.ErrShared) {
		p := problem.Of(http.StatusConflict, it.previous(), "is shared by several users; if it is of this user alone, send the alias with \"force\": true")
		p.Code = sharedID
		return p
	}
	t.auth.notices.failed(r.Context(), "an event could not be stored", fmt.Errorf("key %q: %w", r.key.Name, err))
	return problem.New(http.StatusBadRequest, "the event cannot be stored")
}
