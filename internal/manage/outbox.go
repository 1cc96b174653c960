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
	Subscriptions []engine.Backlog `json:"subscriptions" doc:"By their names, those of other programs on the database among them"`
}

// DeadLetters is a page of deliveries that were given up.
type DeadLetters struct {
	DeadLetters []DeadLetter `json:"deadLetters" doc:"The oldest first"`
	Next        string       `json:"next,omitempty" doc:"The cursor of the next page; missing on the last one"`
}

// DeadLetter is a delivery that was given up.
type DeadLetter struct {
	ID           int64             `json:"id" doc:"By which it can be replayed" example:"42"`
	Subscription string            `json:"subscription" doc:"Name of the handler or forwarder that it was for"`
	Transition   engine.Transition `json:"transition" doc:"What was to be delivered"`
	Attempts     int               `json:"attempts" doc:"How often it was tried"`
	Error        string            `json:"error" doc:"What the last attempt came to, as the handler says"`
}

// Replay says which dead letters to deliver again.
type Replay struct {
	_   struct{} `additionalProperties:"false"`
	IDs []int64  `json:"ids,omitempty" minItems:"1" maxItems:"1000" nullable:"false" doc:"Those with these ids" example:"[42]"`
	All bool     `json:"all,omitempty" doc:"All of them"`
}

// Replayed is how many dead letters are delivered again.
type Replayed struct {
	Replayed int64 `json:"replayed" doc:"How many there were"`
}

type replayInput struct {
	Body Replay
}

func (a *api) outbox() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/outbox", OperationID: "getOutbox", Tags: []string{"outbox"},
		Summary:     "Say what waits to be delivered",
		Description: "What waits for each subscription, and what was given up. The time that it takes grows with what waits.",
	}, func(ctx context.Context, _ *struct{}) (Outbox, error) {
		all, err := a.engine.Backlogs(ctx)
		return Outbox{orNone(all)}, err
	})
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/outbox/dead", OperationID: "listDeadLetters", Tags: []string{"outbox"},
		Summary:     "List the deliveries that were given up",
		Description: "The dead letters, page by page.",
	}, a.deadLetters)
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/outbox/dead/replay", OperationID: "replayDeadLetters", Tags: []string{"outbox"},
		Summary: "Deliver again what was given up",
		Description: "Delivers dead letters again, those with some ids or all. They are marked as replayed, and come after whatever has been delivered " +
			"of their user and bucket since.",
	}, a.replay, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
}

func (a *api) deadLetters(ctx context.Context, in *Page) (DeadLetters, error) {
	after, err := in.after("dead")
	if err != nil {
		return DeadLetters{}, err
	}
	all, err := a.engine.DeadLettersPage(ctx, after, in.Limit)
	if err != nil {
		return DeadLetters{}, err
	}
	out := DeadLetters{DeadLetters: make([]DeadLetter, len(all))}
	for i, l := range all {
		out.DeadLetters[i] = DeadLetter{l.ID, l.Handler, l.Transition, l.Attempts, l.Error}
	}
	if len(all) == in.Limit {
		out.Next = cursor("dead", all[len(all)-1].ID)
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
	n, err := a.engine.ReplayDeadLetters(ctx, in.Body.IDs...)
	return Replayed{n}, err
}
