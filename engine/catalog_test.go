package engine_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// drifting asks about a number, a time, a place inside of an object, a list, and a number of an
// event's payload.
var drifting = bucket.Define(bucket.Spec{ID: "drifting", Criteria: bucket.All(
	seats.AtLeast(2), bucket.Time("trial_ends_at").InTheNext(bucket.Week), bucket.Text("address").At("country").Is("NL"), bucket.List("tags").Has("a"),
	purchase.Where(purchase.Number("total").AtLeast(10)).Exists(), bucket.Event("signed up").Exists(),
)})

// catalogOf returns the entry of a name, and what is said of drift.
func catalogOf(t *testing.T, e *engine.Engine, kind engine.CatalogKind, event, name string) (entry engine.CatalogEntry, says string) {
	t.Helper()
	c, err := e.Catalog(t.Context())
	must(t, err)
	i := slices.IndexFunc(c.Entries, func(e engine.CatalogEntry) bool { return e.Kind == kind && e.Event == event && e.Name == name })
	if i < 0 {
		t.Fatalf("there is no %s %q %q in the catalog", kind, event, name)
	}
	var all []string
	for _, d := range c.Drift {
		all = append(all, string(d.Kind)+": "+d.Says)
	}
	return c.Entries[i], strings.Join(all, "\n")
}

// seen writes what arrived as "number 2, text 1 wrong".
func seen(entry engine.CatalogEntry) string {
	var all []string
	for _, s := range entry.Seen {
		text := fmt.Sprintf("%s %d", s.Type, s.Count)
		if s.Wrong {
			text += " wrong"
		}
		all = append(all, strings.TrimSpace(text))
	}
	return strings.Join(all, ", ")
}

// TestCatalogCountsTypes sends values of right and wrong types: a number that is a text, times in
// forms that are none, and a null, which is none at all. Wrong ones match nothing, and each is
// counted.
func TestCatalogCountsTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, drifting)
	for _, traits := range []string{
		`{"seats": 3, "trial_ends_at": "2026-01-02T00:00:00Z", "tags": ["a"], "address": {"country": "NL"}}`,
		`{"seats": "12", "trial_ends_at": "2026-11-29", "tags": "a", "address": {"country": 31}}`,
		`{"seats": "12", "trial_ends_at": 1795983838, "tags": {"a": true}, "address": "NL"}`,
		`{"seats": null, "trial_ends_at": null, "tags": null, "address": null}`,
	} {
		_, err := w.Ingest(t.Context(), engine.Event{UserID: "ada", TraitsJSON: []byte(traits)})
		must(t, err)
	}
	for _, properties := range []string{`{"total": 12.5}`, `{"total": "12.5"}`, `{"total": true, "seats": false}`} {
		_, err := w.Ingest(t.Context(), engine.Event{UserID: "ada", Name: "purchase", PropertiesJSON: []byte(properties)})
		must(t, err)
	}
	_, err := w.Ingest(t.Context(), engine.Event{UserID: "ada", Name: "purchase", PropertiesJSON: []byte(`{"total": 1}`), Key: "again"})
	must(t, err)
	_, err = w.Ingest(t.Context(), engine.Event{UserID: "ada", Name: "purchase", PropertiesJSON: []byte(`{"total": 1}`), Key: "again"}) // counts once
	must(t, err)
	for name, want := range map[string]string{
		"seats": "bool 1 wrong, number 1, text 2 wrong", "trial_ends_at": "number 1 wrong, text 1 wrong, time 1",
		"tags": "list 1, object 1 wrong, text 1 wrong", "address.country": "number 1 wrong, text 1",
	} {
		entry, _ := catalogOf(t, w.Engine, engine.CatalogProperty, "", name)
		equal(t, name, seen(entry), want)
	}
	entry, _ := catalogOf(t, w.Engine, engine.CatalogField, "purchase", "total")
	equal(t, "total", seen(entry), "bool 1 wrong, number 2, text 1 wrong")
	_, says := catalogOf(t, w.Engine, engine.CatalogEvent, "signed up", "")
	for _, want := range []string{
		"mistyped: property seats is a text, declared a number: 2 events since 2026-01-01T00:00:00Z",
		"mistyped: property trial_ends_at is a number, declared a time: 1 event since 2026-01-01T00:00:00Z",
		`mistyped: field total of event "purchase" is a bool, declared a number: 1 event since 2026-01-01T00:00:00Z`,
		`unseen: event "signed up" is declared and has not arrived`,
	} {
		if !strings.Contains(says, want) {
			t.Errorf("nothing says %q in\n%s", want, says)
		}
	}
}

// TestCatalogFindsMisspellings sends names that are near those that are declared, and others.
func TestCatalogFindsMisspellings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, drifting)
	for range 1204 {
		w.track("ada", "signed_up")
	}
	w.ingest(engine.Event{UserID: "ada", Name: "page\nview", Properties: map[string]any{"Total": 1}})
	w.ingest(engine.Event{UserID: "ada", Name: "purchase", Properties: map[string]any{"Total": 1, "colour": "red", "Seats": 2}})
	w.ingest(engine.Event{UserID: "ada", Name: "purchase", Properties: map[string]any{"total": 1, "seats": 3}, TraitsOnly: true})
	w.ingest(engine.Event{UserID: "ada", Traits: map[string]any{"seat": 2, "nickname": "Ada"}})
	_, says := catalogOf(t, w.Engine, engine.CatalogEvent, "page\nview", "")
	for _, want := range []string{
		`unseen: event "signed up" is declared and has not arrived; what arrives is event "signed_up"`,
		`misspelt: event "signed_up" is not declared and has arrived: 1,204 events since 2026-01-01T00:00:00Z; declared is event "signed up"`,
		`field Total of event "purchase" is not declared and has arrived: 1 event since 2026-01-01T00:00:00Z; declared is field total of event "purchase"`,
		`property seat is not declared and has arrived`,
		`unseen: property seats is declared and has not arrived; what arrives is field Seats of event "purchase" or field seats of event "purchase" or property seat`,
	} {
		if !strings.Contains(says, want) {
			t.Errorf("nothing says %q in\n%s", want, says)
		}
	}
	for _, not := range []string{"colour", "nickname", "page"} {
		if strings.Contains(says, not) {
			t.Errorf("%q is near nothing:\n%s", not, says)
		}
	}
	for _, name := range []string{"colour", "Total"} {
		entry, _ := catalogOf(t, w.Engine, engine.CatalogField, "purchase", name)
		equal(t, name+" is declared", entry.Declared, false)
		equal(t, name, entry.Count, 1)
	}
}

// TestCatalogIsBounded sends more names and fields than the catalog keeps. What is declared stays,
// and so does what comes most often.
func TestCatalogIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, drifting)
	e := w.start(engine.Config{NoClock: true, NoDelivery: true, CatalogRows: 20}, nil)
	send := func(ev engine.Event) {
		_, err := e.Ingest(t.Context(), ev)
		must(t, err)
	}
	for range 5 {
		send(engine.Event{UserID: "ada", Name: "comes often"})
	}
	for i := range 100 {
		send(engine.Event{UserID: "ada", Name: fmt.Sprintf("name %d", i), Properties: map[string]any{fmt.Sprintf("field %d", i): i}})
	}
	send(engine.Event{UserID: "ada", Name: "purchase", Properties: map[string]any{"total": 1}})
	c, err := e.Catalog(t.Context())
	must(t, err)
	undeclared := 0
	for i := range c.Entries {
		if !c.Entries[i].Declared {
			undeclared += len(c.Entries[i].Seen)
		}
	}
	equal(t, "rows of what is not declared", undeclared, 20)
	for _, name := range []string{"comes often", "purchase"} {
		if entry, _ := catalogOf(t, e, engine.CatalogEvent, name, ""); entry.Count == 0 {
			t.Errorf("%s was forgotten", name)
		}
	}
	w.clock.Advance(100 * 24 * time.Hour)
	other := w.start(engine.Config{NoClock: true, NoDelivery: true}, nil) // which has not trimmed yet
	_, err = other.Ingest(t.Context(), engine.Event{UserID: "ada", Name: "purchase"})
	must(t, err)
	_, err = other.Catalog(t.Context())
	must(t, err)
	equal(t, "rows after 100 days", w.count("select count(*) from bucketgen.catalog"), 1)
}

// TestCatalogIsSharedAndOptional lets one engine count, one not, and one that is not started read.
func TestCatalogIsSharedAndOptional(t *testing.T) {
	t.Parallel()
	w := newWorld(t, drifting)
	off := w.start(engine.Config{NoClock: true, NoDelivery: true, CatalogRows: -1}, nil)
	_, err := off.Ingest(t.Context(), engine.Event{UserID: "ada", Name: "purchase"})
	must(t, err)
	counting, err := engine.New(w.pool, w.registry, engine.Config{Now: w.clock.Now, VirtualTime: true, NoClock: true, NoDelivery: true, CatalogFlush: time.Hour})
	must(t, err)
	must(t, counting.Start(t.Context()))
	_, err = counting.Ingest(t.Context(), engine.Event{UserID: "ada", Name: "purchase"})
	must(t, err)
	stop(t, counting) // it writes what it counted
	reading, err := engine.New(w.pool, w.registry, engine.Config{})
	must(t, err)
	entry, _ := catalogOf(t, reading, engine.CatalogEvent, "purchase", "")
	equal(t, "purchases", entry.Count, 1)
	text, err := json.Marshal(entry)
	must(t, err)
	equal(t, "as JSON", string(text), `{"kind":"event","event":"purchase","declared":true,"seen":[{"count":1,"firstSeen":"2026-01-01T00:00:00Z","lastSeen":"2026-01-01T00:00:00Z"}],"count":1}`)
}
