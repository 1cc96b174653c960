package server_test

import (
	"slices"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server/client"
)

// TestManageEvents lists events, names and live figures, as the Go API does.
func TestManageEvents(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	for _, user := range []string{"ada", "bob"} {
		m.is(t, user, "pro")
		m.does(t, user, "Order completed")
	}
	m.does(t, "ada", "order")
	events, err := m.read.ListEvents(ctx, client.ListEventsParams{})
	want := m.engine.Inspect().RecentEvents(engine.RecentQuery{})
	same(t, "events", events.Events, err, want.Events, nil)
	if len(events.Events) != 5 || !events.Since.Equal(dawn) {
		t.Errorf("got %d events since %s", len(events.Events), events.Since)
	}
	first, err := m.read.ListEvents(ctx, client.ListEventsParams{User: "ada", Limit: 2})
	if err != nil || len(first.Events) != 2 || first.Events[0].Name != "order" || first.Next == "" {
		t.Fatalf("got %+v, %v", first, err)
	}
	next, err := m.read.ListEvents(ctx, client.ListEventsParams{User: "ada", Limit: 2, After: first.Next})
	if err != nil || len(next.Events) != 1 || next.Events[0].Name != "" || next.Next != "" {
		t.Errorf("got %+v, %v", next, err)
	}
	named, err := m.read.ListEvents(ctx, client.ListEventsParams{Name: "Order completed"})
	if err != nil || len(named.Events) != 2 {
		t.Errorf("got %+v, %v", named, err)
	}
	_, err = m.read.ListEvents(ctx, client.ListEventsParams{After: "x"})
	refused(t, "cursor", err, 400, "after")

	names, err := m.read.ListEventNames(ctx, client.ListEventNamesParams{})
	wantNames, wantErr := m.engine.Inspect().Names(ctx, engine.NameQuery{})
	same(t, "names", names.Names, err, wantNames.Names, wantErr)
	var paged []string
	for params := (client.ListEventNamesParams{Limit: 1}); ; {
		page, err := m.read.ListEventNames(ctx, params)
		if err != nil {
			t.Fatal(err)
		}
		paged = append(paged, page.Names[0].Event)
		if params.After = page.Next; params.After == "" {
			break
		}
	}
	if len(paged) != int(names.Total) || !slices.IsSorted(paged) {
		t.Errorf("one by one: %q of %d", paged, names.Total)
	}
	properties, err := m.read.ListProperties(ctx, client.ListPropertiesParams{Declared: "true", Seen: "true"})
	if err != nil || len(properties.Names) != 1 || properties.Names[0].Name != "plan" || properties.Names[0].Uses == 0 || properties.Names[0].Hours[0].Count != 2 {
		t.Errorf("got %+v, %v", properties, err)
	}
	_, err = m.read.ListProperties(ctx, client.ListPropertiesParams{Seen: "perhaps"})
	refused(t, "seen", err, 400, "seen")

	if _, err := m.read.GetLive(ctx, client.GetLiveParams{}); err != nil {
		t.Fatal(err)
	}
	m.is(t, "cy", "pro")
	eventually(t, func() bool {
		live, err := m.read.GetLive(ctx, client.GetLiveParams{Bucket: "pro"})
		return err == nil && len(live.Buckets) == 1 && live.Buckets[0].Entered == 1 && len(live.Seconds) == 1 && time.Since(live.AsOf) < time.Minute
	})
	_, err = m.read.GetLive(ctx, client.GetLiveParams{Bucket: "none"})
	refused(t, "bucket", err, 404, "bucket")
}
