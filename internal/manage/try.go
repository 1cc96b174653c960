package manage

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/problem"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// SentEvent is an event of a user, who is named elsewhere.
type SentEvent struct {
	_          struct{}       `additionalProperties:"false"`
	Name       string         `json:"name,omitempty" maxLength:"200" doc:"Name of the event; leave it out to set traits only" example:"order"`
	Properties map[string]any `json:"properties,omitempty" doc:"Payload of the event"`
	Traits     map[string]any `json:"traits,omitempty" doc:"Properties to set on the user; null removes one"`
}

// TriedEvent is an event to try.
type TriedEvent struct {
	BodyKind

	_          struct{}       `additionalProperties:"false"`
	UserID     string         `json:"userId" minLength:"1" maxLength:"255" doc:"Id of the user; an unknown one is tried as a user who is created" example:"ada"`
	Name       string         `json:"name,omitempty" maxLength:"200" doc:"Name of the event; leave it out to set traits only" example:"order"`
	Properties map[string]any `json:"properties,omitempty" doc:"Payload of the event"`
	Traits     map[string]any `json:"traits,omitempty" doc:"Properties to set on the user; null removes one"`
}

// Sent is what an event came to.
type Sent struct {
	Transitions []engine.Transition `json:"transitions" doc:"Transitions that the event caused"`
}

type tryInput struct {
	Body TriedEvent
}

type sendInput struct {
	UserPath
	Body SentEvent
}

func (a *api) tries() {
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/try", OperationID: "try", Tags: []string{"users"},
		Summary: "Try what an event would come to",
		Description: "Decides on an event as if it were sent now, in a transaction that is rolled back: which buckets are candidates, which of their conditions " +
			"the event changes, which transitions it causes, and what follows by time alone. Nothing is written.",
	}, func(ctx context.Context, in *tryInput) (engine.TryResult, error) {
		ev, err := eventOf(in.Body.name(in.Body.UserID), in.Body.Name, in.Body.Properties, in.Body.Traits)
		if err != nil {
			return engine.TryResult{}, err
		}
		noted(ctx, "", "%s of %s", in.Body.Name, in.Body.said(in.Body.UserID))
		r, err := a.engine.Users().Try(ctx, ev)
		r.Evaluated, r.Transitions, r.Next, r.Buckets = orNone(r.Evaluated), orNone(r.Transitions), orNone(r.Next), orNone(r.Buckets)
		for i := range r.Evaluated {
			r.Evaluated[i].Flips = orNone(r.Evaluated[i].Flips)
		}
		return r, err
	}, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/users/{user}/events", OperationID: "sendEvent", Tags: []string{"users"},
		Summary: "Send an event of a user",
		Description: "Ingests an event that happens now, as the calls of SDKs do. It is for people who try something; programs send events with a write key. " +
			"An unknown user is created.",
	}, func(ctx context.Context, in *sendInput) (Sent, error) {
		ev, err := eventOf(in.User, in.Body.Name, in.Body.Properties, in.Body.Traits)
		if err != nil {
			return Sent{}, err
		}
		noted(ctx, "", "%s", in.Body.Name)
		ev.UserID, ev.AnonymousID, ev.IDs = resolve.Split(in.User)
		ev.Email = ev.IDs[resolve.Email]
		delete(ev.IDs, resolve.Email)
		r, err := a.engine.Ingest(ctx, ev)
		return Sent{orNone(r.Transitions)}, err
	}, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
}

// eventOf returns an event that happens now.
func eventOf(user, name string, properties, traits map[string]any) (engine.Event, error) {
	ev := engine.Event{UserID: user, Name: name}
	for _, object := range []struct {
		field string
		from  map[string]any
		to    *[]byte
	}{{"properties", properties, &ev.PropertiesJSON}, {"traits", traits, &ev.TraitsJSON}} {
		if object.from == nil {
			continue
		}
		text, err := json.Marshal(object.from)
		if err != nil {
			return ev, problem.Of(http.StatusBadRequest, object.field, err.Error())
		}
		*object.to = text
	}
	return ev, nil
}
