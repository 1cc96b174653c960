package manage

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/problem"
)

// Outbox is what waits to be delivered.
type Outbox struct {
	Subscriptions []engine.Backlog `json:"subscriptions" doc:"Subscriptions ordered by name, including those of other programs on the database"`
}

// DeadLetters is a page of deliveries that were given up.
type DeadLetters struct {
	DeadLetters []DeadLetter `json:"deadLetters" doc:"Dead letters, the oldest first"`
	Next        string       `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

// DeadLetter is a delivery that was given up.
type DeadLetter struct {
	ID           int64             `json:"id" doc:"Id by which it can be replayed" example:"42"`
	Subscription string            `json:"subscription" doc:"Name of the handler or forwarder"`
	Transition   engine.Transition `json:"transition" doc:"The undelivered transition"`
	Attempts     int               `json:"attempts" doc:"Number of attempts"`
	Error        string            `json:"error" doc:"Error of the last attempt"`
}

// Replay says which dead letters to deliver again.
type Replay struct {
	_   struct{} `additionalProperties:"false"`
	IDs []int64  `json:"ids,omitempty" minItems:"1" maxItems:"1000" nullable:"false" doc:"Ids of the dead letters to replay" example:"[42]"`
	All bool     `json:"all,omitempty" doc:"Replay all dead letters"`
}

// Replayed is how many dead letters are delivered again.
type Replayed struct {
	Replayed int64 `json:"replayed" doc:"Number of replayed dead letters"`
}

type replayInput struct {
	Body Replay
}

func (a *api) outbox() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/outbox", OperationID: "getOutbox", Tags: []string{"outbox"},
		Summary:     "List the backlogs of subscriptions",
		Description: "The number of waiting deliveries and of dead letters of each subscription. The time grows with the number of waiting deliveries.",
	}, func(ctx context.Context, _ *struct{}) (Outbox, error) {
		all, err := a.engine.Outbox().Backlogs(ctx)
		return Outbox{orNone(all)}, err
	})
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/outbox/dead", OperationID: "listDeadLetters", Tags: []string{"outbox"},
		Summary:     "List dead letters",
		Description: "Deliveries that were given up, page by page.",
	}, a.deadLetters)
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/outbox/dead/replay", OperationID: "replayDeadLetters", Tags: []string{"outbox"},
		Summary: "Replay dead letters",
		Description: "Delivers the dead letters with the given ids, or all of them, again. They are marked as replayed, and come after later deliveries " +
			"of the same user and bucket.",
	}, a.replay, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
}

func (a *api) deadLetters(ctx context.Context, in *Page) (DeadLetters, error) {
	after, err := in.after("dead")
	if err != nil {
		return DeadLetters{}, err
	}
	all, next, err := a.engine.Outbox().DeadLettersPage(ctx, engine.Page{After: after, Size: in.Limit})
	if err != nil {
		return DeadLetters{}, err
	}
	out := DeadLetters{DeadLetters: make([]DeadLetter, len(all)), Next: cursor("dead", next)}
	for i, l := range all {
		out.DeadLetters[i] = DeadLetter{l.ID, l.Handler, l.Transition, l.Attempts, l.Error}
	}
	return out, nil
}

func (a *api) replay(ctx context.Context, in *replayInput) (Replayed, error) {
	switch ids, all := len(in.Body.IDs) > 0, in.Body.All; {
	case ids && all:
		return Replayed{}, problem.Of(http.StatusBadRequest, "ids", "are given, and all as well; give one of them")
	case !ids && !all:
		return Replayed{}, problem.Of(http.StatusBadRequest, "ids", "are missing; give some, or all: true")
	}
	n, err := a.engine.Outbox().Replay(ctx, in.Body.IDs...)
	return Replayed{n}, err
}
