package server_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server/client"
)

// TestManageForecast forecasts by the API what the Go API does, for users whose ids are hard to
// write.
func TestManageForecast(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	for _, user := range []string{"ada", "..", "a/b", "-x"} {
		for range 2 {
			m.does(t, user, "order")
		}
		m.clock.Advance(time.Hour)
		until := m.clock.Now().AddDate(0, 0, 2)
		got, err := m.read.GetForecast(ctx, user, client.GetForecastParams{Until: until, Ticks: true})
		want, wantErr := m.engine.Users().Forecast(ctx, user, engine.ForecastOptions{Until: until})
		same(t, user, got, err, want, wantErr)
		if len(got.Transitions) != 1 || got.Transitions[0].Transition != client.KindLeft {
			t.Errorf("%s: got %+v", user, got)
		}
		body := client.WhatIf{Until: until, Events: []client.ImaginedEvent{{Traits: map[string]any{"plan": "pro"}}, {Name: "order", At: m.clock.Now().Add(time.Hour)}}}
		imagined, err := m.read.ForecastWhatIf(ctx, user, body)
		want, wantErr = m.engine.Users().Forecast(ctx, user, engine.ForecastOptions{Until: until, NoTicks: true, Events: []engine.Event{
			{Traits: map[string]any{"plan": "pro"}}, {Name: "order", OccurredAt: m.clock.Now().Add(time.Hour)},
		}})
		same(t, user+" what if", imagined, err, want, wantErr)
		if len(imagined.Transitions) != 2 || imagined.Transitions[0].BucketID != "pro" {
			t.Errorf("%s: got %+v", user, imagined)
		}
		xs, err := m.read.ExplainUser(ctx, user, client.ExplainUserParams{Buckets: "active,pro"})
		active, activeErr := m.engine.Explain(ctx, m.ref(t, "active"), user)
		pro, proErr := m.engine.Explain(ctx, m.ref(t, "pro"), user)
		same(t, "explain "+user, xs.Explanations, err, []engine.Explanation{active, pro}, errors.Join(activeErr, proErr))
		in, err := m.read.ExplainUser(ctx, user, client.ExplainUserParams{})
		same(t, "explain where "+user+" is", in.Explanations, err, []engine.Explanation{active}, nil)

		status, _, text := m.get(t, "/v1/users/-/forecast?until="+until.Format(time.RFC3339)+"&id="+url.QueryEscape(user), m.board, "application/json")
		plain, _, wantText := m.get(t, "/v1/users/"+escaped(user)+"/forecast?until="+until.Format(time.RFC3339), m.board, "application/json")
		if status != http.StatusOK || plain != http.StatusOK || text != wantText {
			t.Errorf("by ?id=%s: got %d %s, want %s", user, status, text, wantText)
		}
	}
	_, err := m.read.GetForecast(ctx, "zoe", client.GetForecastParams{})
	refused(t, "unknown", err, 404, "user")
	_, err = m.read.GetForecast(ctx, "ada", client.GetForecastParams{Until: dawn})
	refused(t, "past", err, 400, "until")
	_, err = m.read.ExplainUser(ctx, "ada", client.ExplainUserParams{Buckets: "active,por"})
	refused(t, "another bucket", err, 404, "bucket")
	_, err = m.read.ForecastWhatIf(ctx, "ada", client.WhatIf{Events: []client.ImaginedEvent{{Name: "order", At: dawn}}})
	refused(t, "event in the past", err, 400, "at")
	_, err = m.read.ForecastWhatIf(ctx, "ada", client.WhatIf{Events: []client.ImaginedEvent{}})
	refused(t, "no event", err, 400, "events")
}

// escaped writes a user's id as a segment of a path.
func escaped(user string) string {
	if user == ".." {
		return "%2E%2E"
	}
	return url.PathEscape(user)
}
