package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server/client"
)

// TestManageCatalog compares what the management API says of names with what the Go API does.
func TestManageCatalog(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	m.does(t, "ada", "Order")
	m.does(t, "ada", "order")
	m.does(t, "ada", "page viewed")
	if _, err := m.engine.Ingest(ctx, engine.Event{UserID: "ada", Traits: map[string]any{"plan": 1}}); err != nil {
		t.Fatal(err)
	}
	got, err := m.read.GetCatalog(ctx, client.GetCatalogParams{})
	want, wantErr := m.engine.Catalog(ctx)
	same(t, "catalog", got, err, want, wantErr)
	says := ""
	for _, d := range got.Drift {
		says += string(d.Kind) + ": " + d.Says + "\n"
	}
	for _, want := range []string{`misspelt: event "Order" is not declared`, "mistyped: property plan is a number, declared a text: 1 event since "} {
		if !strings.Contains(says, want) {
			t.Errorf("nothing says %q in\n%s", want, says)
		}
	}
	got, err = m.read.GetCatalog(ctx, client.GetCatalogParams{Kind: "event", Declared: "false", Limit: 1})
	if err != nil || len(got.Entries) != 1 || got.Entries[0].Event != "Order" || len(got.Drift) != 1 {
		t.Errorf("one undeclared event: got %+v, %v", got, err)
	}
	_, err = m.read.GetCatalog(ctx, client.GetCatalogParams{Kind: "bucket"})
	refused(t, "a kind that there is not", err, http.StatusBadRequest, "kind")
}

// TestNewEventNamesAreRefusedByName meets the bound on names that no definition declares over HTTP:
// the answer names the field, the bound and what to do, and other items of the batch are stored.
func TestNewEventNamesAreRefusedByName(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true, NewEventNames: 2})
	var items []string
	for i := range 4 {
		items = append(items, fmt.Sprintf(`{"type":"track","userId":"ada","event":"order of item %d"}`, i))
	}
	items = append(items, `{"type":"track","userId":"ada","event":"order"}`)
	got, body := a.send(t, "/v1/batch?results=1", strings.NewReader(`{"batch":[`+strings.Join(items, ",")+`]}`), nil)
	if got.StatusCode != http.StatusOK || strings.Count(body, "2 new names were created in the last 24 hours") != 2 || !strings.Contains(body, `"event"`) {
		t.Errorf("batch: got %d %s", got.StatusCode, body)
	}
	got, body = a.send(t, "/v1/track", strings.NewReader(`{"userId":"ada","event":"order of item 9"}`), nil)
	if got.StatusCode != http.StatusBadRequest || !strings.Contains(body, "engine.Config.NewEventNames") || !strings.Contains(body, `"event"`) {
		t.Errorf("single: got %d %s", got.StatusCode, body)
	}
	var stored int
	if err := a.pool.QueryRow(t.Context(), "select count(*) from bucketgen.events").Scan(&stored); err != nil || stored != 3 {
		t.Errorf("%d events are stored, want 3 (%v)", stored, err)
	}
}
