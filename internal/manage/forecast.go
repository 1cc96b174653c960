package manage

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/problem"
)

// Explanations are why a user is in some buckets or not.
type Explanations struct {
	Explanations []engine.Explanation `json:"explanations" doc:"One for each bucket, in the order asked for"`
}

// WhatIf is what to imagine of a user.
type WhatIf struct {
	_      struct{}        `additionalProperties:"false"`
	Events []ImaginedEvent `json:"events" minItems:"1" maxItems:"100" nullable:"false" doc:"Events in the order of time"`
	Until  time.Time       `json:"until,omitzero" doc:"End of the forecast. Defaults to 30 days from now" example:"2026-12-31T00:00:00Z"`
	Ticks  bool            `json:"ticks,omitempty" doc:"Whether to forecast dwell ticks, too"`
}

// ImaginedEvent is an event that is imagined.
type ImaginedEvent struct {
	_          struct{}       `additionalProperties:"false"`
	Name       string         `json:"name,omitempty" doc:"Name of the event; leave it out to set traits only" example:"order"`
	Properties map[string]any `json:"properties,omitempty" doc:"Payload of the event"`
	Traits     map[string]any `json:"traits,omitempty" doc:"Properties to set on the user; null removes one"`
	At         time.Time      `json:"at,omitzero" doc:"When it happens: now or later. Defaults to now" example:"2026-12-02T00:00:00Z"`
}

type explainInput struct {
	UserPath
	Buckets string `query:"buckets" maxLength:"10000" doc:"Up to 20 ids, with commas between them. Defaults to the first 20 buckets that the user is in" example:"power-users,trial"`
}

type forecastInput struct {
	UserPath
	Until time.Time `query:"until" doc:"End of the forecast. Defaults to 30 days from now" example:"2026-12-31T00:00:00Z"`
	Ticks bool      `query:"ticks" doc:"Whether to forecast dwell ticks, too"`
}

type whatIfInput struct {
	UserPath
	Body WhatIf
}

func (a *api) forecasts() {
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/users/{user}/explain", OperationID: "explainUser", Metadata: lookUp, Tags: []string{"users"},
		Summary:     "Explain why a user is in some buckets or not",
		Description: "What explainMember says, for several buckets.",
	}, a.explainUser, http.StatusNotFound, http.StatusConflict)
	add(a, huma.Operation{
		Method: http.MethodGet, Path: "/v1/users/{user}/forecast", OperationID: "getForecast", Metadata: lookUp, Tags: []string{"users"},
		Summary: "Forecast what happens to a user if no event arrives",
		Description: "All transitions of a user in any bucket that follow from the passing of time alone, in the order of time. At most 10,000 due instants are " +
			"evaluated and 1,000 transitions returned. Nothing is written.",
	}, func(ctx context.Context, in *forecastInput) (engine.Forecast, error) {
		return a.forecast(ctx, in.User, engine.ForecastOptions{Until: in.Until, NoTicks: !in.Ticks})
	}, http.StatusNotFound, http.StatusConflict)
	add(a, huma.Operation{
		Method: http.MethodPost, Path: "/v1/users/{user}/what-if", OperationID: "forecastWhatIf", Tags: []string{"users"}, Metadata: readOnly,
		Summary:     "Forecast what happens to a user after imagined events",
		Description: "As getForecast, with events that are imagined to happen at given times. Nothing is written.",
	}, a.whatIf, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
}

// readOnly is the metadata of operations that change nothing although they are no GET.
var readOnly = map[string]any{accessKey: Read}

// maxExplained is how many buckets are explained at once.
const maxExplained = 20

func (a *api) explainUser(ctx context.Context, in *explainInput) (Explanations, error) {
	var ids []string
	switch {
	case in.Buckets != "":
		ids = strings.Split(in.Buckets, ",")
	default:
		stays, err := a.engine.Users().Stays(ctx, in.User)
		if err != nil {
			return Explanations{}, err
		}
		for _, s := range stays[:min(len(stays), maxExplained)] {
			ids = append(ids, s.BucketID)
		}
	}
	if len(ids) > maxExplained {
		return Explanations{}, problem.Of(http.StatusBadRequest, "buckets", fmt.Sprintf("are %d; ask for %d at most", len(ids), maxExplained))
	}
	out := Explanations{Explanations: []engine.Explanation{}}
	for _, id := range ids {
		ref, err := a.bucket(id)
		if err != nil {
			return Explanations{}, err
		}
		x, err := a.engine.Explain(ctx, ref, in.User)
		if err != nil {
			return Explanations{}, err
		}
		x.Policy = orNone(x.Policy)
		out.Explanations = append(out.Explanations, x)
	}
	return out, nil
}

func (a *api) whatIf(ctx context.Context, in *whatIfInput) (engine.Forecast, error) {
	o := engine.ForecastOptions{Until: in.Body.Until, NoTicks: !in.Body.Ticks, Events: make([]engine.Event, len(in.Body.Events))}
	for i, e := range in.Body.Events {
		ev, err := eventOf("", e.Name, e.Properties, e.Traits)
		if err != nil {
			return engine.Forecast{}, err
		}
		ev.OccurredAt = e.At
		o.Events[i] = ev
	}
	return a.forecast(ctx, in.User, o)
}

func (a *api) forecast(ctx context.Context, user string, o engine.ForecastOptions) (engine.Forecast, error) {
	if !o.Until.IsZero() && o.Until.Before(a.engine.Now()) {
		return engine.Forecast{}, problem.Of(http.StatusBadRequest, "until", "is in the past; give a later time")
	}
	if err := writable("until", o.Until); err != nil {
		return engine.Forecast{}, err
	}
	return a.engine.Users().Forecast(ctx, user, o)
}
