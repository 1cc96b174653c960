package manage

import (
	"context"
	"errors"
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
	Transition   engine.Transition `json:"transition" doc:"The undelivered transition; of a notice, only its kind and when it happened"`
	Notice       *engine.Notice    `json:"notice,omitempty"`
	Attempts     int               `json:"attempts" doc:"Number of attempts"`
	Error        string            `json:"error" doc:"Error of the last attempt"`
}

// DeadLetterFilter says which dead letters are meant.
type DeadLetterFilter struct {
	BodyKind

	_            struct{} `additionalProperties:"false"`
	Subscription string   `json:"subscription,omitempty" maxLength:"255" doc:"Name of the handler or forwarder"`
	BucketID     string   `json:"bucketId,omitempty" maxLength:"255" doc:"Id of the bucket"`
	UserID       string   `json:"userId,omitempty" maxLength:"255" doc:"Id of the user"`
	Error        string   `json:"error,omitempty" maxLength:"500" doc:"Part of the error of the last attempt"`
	UpTo         int64    `json:"upTo,omitempty" minimum:"1" doc:"Id of the last dead letter that is meant, so that one that comes later is not. A dry run returns it"`
}

// Replay says which dead letters to deliver again.
type Replay struct {
	_      struct{}          `additionalProperties:"false"`
	IDs    []int64           `json:"ids,omitempty" minItems:"1" maxItems:"1000" nullable:"false" doc:"Ids of the dead letters" example:"[42]"`
	All    bool              `json:"all,omitempty" doc:"All dead letters"`
	Filter *DeadLetterFilter `json:"filter,omitempty" doc:"The dead letters that have all of these properties"`
	DryRun bool              `json:"dryRun,omitempty" doc:"Only count them, for all or a filter"`
}

// Replayed is how many dead letters are delivered again.
type Replayed struct {
	Replayed int64 `json:"replayed" doc:"Number of replayed dead letters; in a dry run, of those that would be"`
	UpTo     int64 `json:"upTo,omitempty" doc:"Id of the last of them, in a dry run"`
}

// Discarded is how many dead letters were deleted.
type Discarded struct {
	Discarded int64 `json:"discarded" doc:"Number of deleted dead letters; in a dry run, of those that would be"`
	UpTo      int64 `json:"upTo,omitempty" doc:"Id of the last of them, in a dry run"`
}

// WaitingDeliveries is a page of the deliveries of a subscription that are still to be made.
type WaitingDeliveries struct {
	Deliveries []engine.WaitingDelivery `json:"deliveries" doc:"Deliveries in the order in which they were put into the outbox"`
	Next       string                   `json:"next,omitempty" doc:"Cursor of the next page; missing on the last page"`
}

type replayInput struct {
	Body Replay
}

type deadLettersInput struct {
	Page
	UserQuery
	Subscription string `query:"subscription" maxLength:"255" doc:"List those of this handler or forwarder. Defaults to all"`
	Bucket       string `query:"bucket" maxLength:"255" doc:"List those of this bucket. Defaults to all"`
	Error        string `query:"error" maxLength:"500" doc:"List those whose error contains this text. Defaults to all"`
	Order        string `query:"order" default:"oldest" enum:"oldest,newest" doc:"Which come first"`
}

type subscriptionInput struct {
	Page
	Subscription string `path:"subscription" doc:"Name of the handler or forwarder, percent-encoded" example:"welcome"`
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
		Description: "Deliveries that were given up, page by page, all or those that have some properties.",
	}, a.deadLetters)
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/outbox/dead/replay", OperationID: "replayDeadLetters", Tags: []string{"outbox"},
		Summary: "Replay dead letters",
		Description: "Delivers the dead letters with the given ids, those of a filter, or all of them, again. They are marked as replayed, and come after " +
			"later deliveries of the same user and bucket.",
	}, a.replay, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/outbox/dead/discard", OperationID: "discardDeadLetters", Tags: []string{"outbox"},
		Summary:     "Discard dead letters",
		Description: "Deletes the dead letters with the given ids, those of a filter, or all of them. There is no way back.",
	}, a.discard, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/outbox/{subscription}/deliveries", OperationID: "listDeliveries", Tags: []string{"outbox"},
		Summary:     "List what waits for a subscription",
		Description: "The deliveries that are still to be made, page by page, and why each of them waits. The time grows with their number.",
	}, a.waitingDeliveries, http.StatusNotFound)
}

func (a *api) deadLetters(ctx context.Context, in *deadLettersInput) (DeadLetters, error) {
	list := "dead " + in.Order
	after, err := in.after(list)
	if err != nil {
		return DeadLetters{}, err
	}
	f := engine.DeadLetterFilter{BucketID: in.Bucket, UserID: in.User, Error: in.Error, NewestFirst: in.Order == "newest"}
	if in.Subscription != "" {
		f.Subscriptions = []string{in.Subscription}
	}
	all, next, err := a.engine.Outbox().DeadLettersPage(ctx, f, engine.Page{After: after, Size: in.Limit})
	if err != nil {
		return DeadLetters{}, err
	}
	out := DeadLetters{DeadLetters: make([]DeadLetter, len(all)), Next: cursor(list, next)}
	for i, l := range all {
		out.DeadLetters[i] = DeadLetter{l.ID, l.Handler, l.Transition, l.Notice, l.Attempts, l.Error}
	}
	return out, nil
}

// chosen returns the filter of a request to replay or discard dead letters, unless it names some by
// their ids.
func (r *Replay) chosen() (engine.DeadLetterFilter, error) {
	given := 0
	for _, one := range []bool{len(r.IDs) > 0, r.All, r.Filter != nil} {
		if one {
			given++
		}
	}
	switch {
	case given > 1:
		return engine.DeadLetterFilter{}, problem.Of(http.StatusBadRequest, "ids", "are given, and all or a filter as well; give one of them")
	case given == 0:
		return engine.DeadLetterFilter{}, problem.Of(http.StatusBadRequest, "ids", "are missing; give some, a filter, or all: true")
	case r.DryRun && len(r.IDs) > 0:
		return engine.DeadLetterFilter{}, problem.Of(http.StatusBadRequest, "dryRun", "is given with ids; it counts all, or a filter")
	case r.Filter == nil:
		return engine.DeadLetterFilter{}, nil
	}
	f := engine.DeadLetterFilter{BucketID: r.Filter.BucketID, UserID: r.Filter.name(r.Filter.UserID), Error: r.Filter.Error, UpTo: r.Filter.UpTo}
	if r.Filter.Subscription != "" {
		f.Subscriptions = []string{r.Filter.Subscription}
	}
	return f, nil
}

// dead does something with the dead letters that a request names, and returns how many there were.
// A dry run counts them, and returns the last.
func (a *api) dead(ctx context.Context, r *Replay, some func(context.Context, ...int64) (int64, error),
	all func(context.Context, engine.DeadLetterFilter) (int64, error),
) (n, last int64, err error) {
	f, err := r.chosen()
	switch {
	case err != nil:
		return 0, 0, err
	case r.DryRun:
		n, last, err = a.engine.Outbox().CountDead(ctx, f)
		noted(ctx, "", "dry run")
	case len(r.IDs) > 0:
		n, err = some(ctx, r.IDs...)
	default:
		n, err = all(ctx, f)
	}
	noted(ctx, "", "%d dead letters", n)
	return n, last, err
}

func (a *api) replay(ctx context.Context, in *replayInput) (Replayed, error) {
	n, last, err := a.dead(ctx, &in.Body, a.engine.Outbox().Replay, a.engine.Outbox().ReplayDead)
	return Replayed{n, last}, err
}

func (a *api) discard(ctx context.Context, in *replayInput) (Discarded, error) {
	n, last, err := a.dead(ctx, &in.Body, a.engine.Outbox().Discard, a.engine.Outbox().DiscardDead)
	return Discarded{n, last}, err
}

func (a *api) waitingDeliveries(ctx context.Context, in *subscriptionInput) (WaitingDeliveries, error) {
	after, err := in.after("deliveries")
	if err != nil {
		return WaitingDeliveries{}, err
	}
	all, next, err := a.engine.Outbox().WaitingPage(ctx, in.Subscription, engine.Page{After: after, Size: in.Limit})
	if errors.Is(err, engine.ErrUnknownSubscription) {
		err = problem.Of(http.StatusNotFound, "subscription", "there is no subscription of this name")
	}
	return WaitingDeliveries{orNone(all), cursor("deliveries", next)}, err
}
