package server_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server/client"
)

// TestManageUserSearch finds users by what they are known by.
func TestManageUserSearch(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	for _, ev := range []engine.Event{
		{UserID: "ada", Traits: map[string]any{"email": "Countess@Example.com", "name": "Ada Lovelace"}},
		{UserID: "adam", Traits: map[string]any{"email": "first@example.com"}},
		{UserID: "..", Traits: map[string]any{"name": "100% dots_"}},
		{UserID: "visitor", Name: "order"},
		{UserID: "gone", Traits: map[string]any{"email": "gone@example.com"}},
	} {
		if _, err := m.engine.Ingest(ctx, ev); err != nil {
			t.Fatal(err)
		}
	}
	_, err := m.engine.Merge(ctx, "visitor", "adam")
	if err := errors.Join(err, m.engine.Users().Alias(ctx, "anon-1", "ada", engine.AliasOptions{}), m.engine.Delete(ctx, "gone")); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]string{
		"ada": {"ada", "adam"}, "ADA": {"ada"}, "adam": {"adam"}, "visi": {"adam"}, "anon": {"ada"}, "countess@": {"ada"}, "COUNT": {"ada"}, "ada l": {"ada"},
		"..": {".."}, "100%": {".."}, "dots": nil, "_": nil, "gone": {"gone"}, "gone@": nil, "zoe": nil,
	} {
		got, err := m.read.SearchUsers(ctx, client.SearchUsersParams{Q: text})
		found, wantErr := m.engine.Users().Search(ctx, text, 0)
		if len(found) > 0 {
			same(t, text, got.Users, err, found, wantErr)
		}
		var ids []string
		for _, u := range got.Users {
			ids = append(ids, u.UserID)
			if u.Deleted != (u.UserID == "gone") || u.Deleted && u.UserEmail != "" {
				t.Errorf("%q: got %+v", text, u)
			}
		}
		if err != nil || !slices.Equal(ids, want) {
			t.Errorf("%q: got %v, %v, want %v", text, ids, err, want)
		}
	}
	one, err := m.read.SearchUsers(ctx, client.SearchUsersParams{Q: "ad", Limit: 1})
	if err != nil || len(one.Users) != 1 || one.Users[0].UserID != "ada" || one.Users[0].Name != "Ada Lovelace" {
		t.Errorf("the first: got %+v, %v", one, err)
	}
	_, err = m.read.SearchUsers(ctx, client.SearchUsersParams{})
	refused(t, "nothing", err, 400, "q")
}

// events returns the events of a user that have a name, read in pages.
func (m *managed) events(t *testing.T, user, name string) (all []client.LoggedEvent) {
	t.Helper()
	for params := (client.ListUserEventsParams{Limit: 2, Name: name}); ; {
		page, err := m.read.ListUserEvents(t.Context(), user, params)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Events...)
		if params.After = page.Next; params.After == "" {
			return all
		}
	}
}

// activity returns what a user did and what happened to them, read in pages.
func (m *managed) activity(t *testing.T, user string) (all []client.Activity) {
	t.Helper()
	for params := (client.ListUserActivityParams{Limit: 2}); ; {
		page, err := m.read.ListUserActivity(t.Context(), user, params)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Activity...)
		if params.After = page.Next; params.After == "" {
			return all
		}
	}
}

// history returns all transitions of a user, by the Go API.
func (m *managed) history(t *testing.T, user string) (all []engine.Transition) {
	t.Helper()
	for tr, err := range m.engine.History(t.Context(), user) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, tr)
	}
	return all
}

// TestManageUser reads what is known of a user, and what they did.
func TestManageUser(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	for _, user := range []string{"ada", "..", "a/b"} {
		m.is(t, user, "free")
		m.clock.Advance(time.Hour)
		if _, err := m.engine.Ingest(ctx, engine.Event{UserID: user, Traits: map[string]any{"plan": "pro", "size": 3, "list": []any{1, "x"}, "email": "e@x.org"}}); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			m.sends(t, engine.Event{UserID: user, Name: "order", Properties: map[string]any{"total": i}})
			m.does(t, user, "look")
			m.clock.Advance(time.Hour)
		}
		m.is(t, user, "free")
		got, err := m.read.GetUser(ctx, user)
		want, wantErr := m.engine.Users().Get(ctx, user)
		same(t, user, got, err, want, wantErr)
		plan := got.Traits[slices.IndexFunc(got.Traits, func(p client.Property) bool { return p.Name == "plan" })]
		if plan.Value != "free" || plan.Was != "pro" || !plan.Declared || plan.Type != "text" || !plan.ChangedAt.Equal(m.clock.Now()) || len(got.Traits) != 4 {
			t.Errorf("%s: got %+v", user, got)
		}

		for _, name := range []string{"", "order"} {
			events := m.events(t, user, name)
			page, err := m.engine.Users().Events(ctx, user, name, nil, 0)
			same(t, user+" "+name, events, nil, page.Events, err)
			if want := map[string]int{"": 9, "order": 3}[name]; len(events) != want || !slices.IsSortedFunc(events, func(a, b client.LoggedEvent) int { return b.OccurredAt.Compare(a.OccurredAt) }) {
				t.Errorf("%s %s: got %d events, want %d, the newest first", user, name, len(events), want)
			}
		}
		activity := m.activity(t, user)
		whole, err := m.engine.Users().Activity(ctx, user, nil, 0)
		same(t, user+": activity", activity, nil, whole.Activity, err)
		history := m.history(t, user)
		transitions := len(history)
		for _, a := range whole.Activity {
			history = slices.DeleteFunc(history, func(tr engine.Transition) bool { return a.Transition != nil && a.Transition.Key() == tr.Key() })
		}
		if len(history) > 0 {
			t.Errorf("%s: %v are missing", user, history)
		}
		if len(activity) != 9+transitions || transitions != 3 {
			t.Errorf("%s: got %d items, want 9 events and %d transitions", user, len(activity), transitions)
		}
	}
	_, err := m.read.GetUser(ctx, "zoe")
	refused(t, "unknown", err, 404, "user")
	_, err = m.read.ListUserEvents(ctx, "zoe", client.ListUserEventsParams{})
	refused(t, "events of unknown", err, 404, "user")
	_, err = m.read.ListUserActivity(ctx, "zoe", client.ListUserActivityParams{})
	refused(t, "activity of unknown", err, 404, "user")
	_, err = m.read.ListUserActivity(ctx, "ada", client.ListUserActivityParams{After: "x"})
	refused(t, "cursor", err, 400, "after")

	if _, err := m.engine.Merge(ctx, "..", "ada"); err != nil {
		t.Fatal(err)
	}
	merged, err := m.read.GetUser(ctx, "..")
	if err != nil || merged.UserID != "ada" || !slices.Equal(merged.Merged, []string{".."}) {
		t.Errorf("merged: got %+v, %v", merged, err)
	}
	if _, err := m.admin.DeleteUser(ctx, "ada"); err != nil {
		t.Fatal(err)
	}
	deleted, err := m.read.GetUser(ctx, "ada")
	if err != nil || deleted.DeletedAt.IsZero() || len(deleted.Traits) != 0 || deleted.UserEmail != "" {
		t.Errorf("deleted: got %+v, %v", deleted, err)
	}
	_, err = m.read.ListUserEvents(ctx, "ada", client.ListUserEventsParams{})
	refused(t, "events of who is deleted", err, 409, "user")
	_, err = m.read.ListUserActivity(ctx, "ada", client.ListUserActivityParams{})
	refused(t, "activity of who is deleted", err, 409, "user")
}

// TestManageTimeline reads the timeline of a user in both orders and by filters.
func TestManageTimeline(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	for range 3 {
		m.is(t, "ada", "pro")
		m.clock.Advance(time.Hour)
		m.is(t, "ada", "free")
		m.does(t, "ada", "order")
	}
	var all []engine.Transition
	for tr, err := range m.engine.History(ctx, "ada") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, tr)
	}
	for name, test := range map[string]struct {
		params client.GetTimelineParams
		want   func(tr engine.Transition) bool
	}{
		"all":       {client.GetTimelineParams{}, func(engine.Transition) bool { return true }},
		"newest":    {client.GetTimelineParams{Order: "desc"}, func(engine.Transition) bool { return true }},
		"of bucket": {client.GetTimelineParams{Order: "desc", Bucket: "pro"}, func(tr engine.Transition) bool { return tr.BucketID == "pro" }},
		"in a time": {client.GetTimelineParams{From: dawn.Add(time.Hour), To: dawn.Add(2 * time.Hour)}, func(tr engine.Transition) bool {
			return !tr.At.Before(dawn.Add(time.Hour)) && tr.At.Before(dawn.Add(2*time.Hour))
		}},
	} {
		want := slices.DeleteFunc(slices.Clone(all), func(tr engine.Transition) bool { return !test.want(tr) })
		if test.params.Order == "desc" {
			slices.Reverse(want)
		}
		got := []client.Transition{}
		test.params.Limit = 2
		for tr, err := range m.read.Timeline(ctx, "ada", test.params) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, tr)
		}
		same(t, name, got, nil, want, nil)
	}
	_, err := m.read.GetTimeline(ctx, "ada", client.GetTimelineParams{Bucket: "por"})
	refused(t, "another bucket", err, 404, "bucket")
	_, err = m.read.GetTimeline(ctx, "ada", client.GetTimelineParams{Order: "up"})
	refused(t, "another order", err, 400, "order")
}
