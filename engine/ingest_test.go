package engine_test

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

func itoa(n int) string { return strconv.Itoa(n) }

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestIngestChangesMemberships(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars, proBuyers)
	equal(t, "identify", w.identify("ada", map[string]any{"plan": "pro"}), []string{"entered pro 1"})
	equal(t, "first visit", w.track("ada", "visit"), []string{})
	equal(t, "second visit", w.track("ada", "visit"), []string{"entered regulars 1"})
	equal(t, "purchase", w.track("ada", "purchase"), []string{"entered pro-buyers 1"})
	equal(t, "has", w.has("regulars", "ada"), true)
	equal(t, "cancel", w.identify("ada", map[string]any{"plan": nil}), []string{"left pro 1 by criteria", "left pro-buyers 1 by criteria"})
	w.clock.Advance(time.Hour)
	w.settle()
	equal(t, "after an hour", w.has("regulars", "ada"), false)
	equal(t, "history", w.history("ada"), []string{
		"entered pro 1", "entered regulars 1", "entered pro-buyers 1", "left pro 1 by criteria", "left pro-buyers 1 by criteria",
		"left regulars 1 by criteria",
	})
}

func TestDeclaredPropertyOfPayloadIsStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	equal(t, "event", w.ingest(engine.Event{
		UserID: "ada", Name: "upgraded", Traits: map[string]any{"plan": "free", "name": "Ada"}, Properties: map[string]any{"plan": "pro", "from": "free"},
	}), []string{"entered pro 1"})
	equal(t, "stored", w.count(`select count(*) from bucketgen.contacts where properties = '{"plan": "pro", "name": "Ada"}'`), 1)
	equal(t, "logged", w.count(`select count(*) from bucketgen.events
		where properties = '{"plan": "pro", "from": "free"}' and traits = '{"plan": "free", "name": "Ada"}'`), 1)
}

func TestPropertyChangeIsRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	w.identify("ada", map[string]any{"plan": "free", "email": "ada@example.com"})
	w.clock.Advance(time.Minute)
	w.identify("ada", map[string]any{"plan": "pro"})
	equal(t, "email", w.count("select count(*) from bucketgen.contacts where email = 'ada@example.com'"), 1)
	equal(t, "change", w.count(`select count(*) from bucketgen.changes h join bucketgen.properties p on p.no = h.property_no
		where p.name = 'plan' and h.was = '"free"' and h.changed_at = $1`, epoch.Add(time.Minute)), 1)
	equal(t, "of declared properties only", w.count("select count(*) from bucketgen.changes"), 1)
}

func TestDuplicateChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	ev := engine.Event{UserID: "ada", Name: "visit", Key: "k1"}
	for i, want := range []bool{false, true, true} {
		ev.Traits = map[string]any{"plan": []string{"free", "pro", "pro"}[i]}
		result, err := w.Ingest(t.Context(), ev)
		if err != nil || result.Duplicate != want || len(result.Transitions) != 0 {
			t.Errorf("visit %d: got %+v, %v", i, result, err)
		}
	}
	results, err := w.IngestBatch(t.Context(), []engine.Event{
		{UserID: "bob", Name: "visit", Key: "k1"}, {UserID: "bob", Name: "visit", Key: "k1"}, {UserID: "bob", Name: "visit", Key: "k2"},
	})
	if err != nil || results[0].Duplicate || !results[1].Duplicate || results[2].Duplicate {
		t.Errorf("batch: got %+v, %v", results, err)
	}
	equal(t, "bob", brief(results[2].Transitions), []string{"entered regulars 1"})
	equal(t, "events", w.count("select count(*) from bucketgen.events"), 3)
}

func TestBatchKeepsOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	var events []engine.Event
	for i := range 40 {
		events = append(events, engine.Event{UserID: "ada", Traits: map[string]any{"plan": []string{"pro", "free"}[i%2]}})
	}
	if _, err := w.IngestBatch(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 20 {
		want = append(want, "entered pro "+itoa(i+1), "left pro "+itoa(i+1)+" by criteria")
	}
	equal(t, "history", w.history("ada"), want)
	equal(t, "stays", w.count("select count(*) from bucketgen.memberships where left_at is not null"), 20)
}

// TestPoisonedEventFailsAlone covers what validation refuses.
func TestPoisonedEventFailsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	good := func(user string) engine.Event { return engine.Event{UserID: user, Name: "visit"} }
	poison := []struct {
		ev    engine.Event
		field string
	}{
		{engine.Event{UserID: "x", Name: "visit", Properties: map[string]any{"a": map[string]any{"b": "\x00"}}}, "properties.a.b"},
		{engine.Event{UserID: "x", Name: "visit", PropertiesJSON: []byte(`{"a":"\u0000"}`)}, "properties.a"},
		{engine.Event{UserID: "x", Name: "visit", Properties: map[string]any{"a": strings.Repeat("x", 10<<20)}}, "properties"},
		{engine.Event{UserID: "x", Name: "visit", Traits: map[string]any{"a": "\xff"}}, "traits.a"},
		{engine.Event{UserID: "x", Name: "visit", TraitsJSON: []byte(`{"plan":1e400}`)}, "traits.plan"},
		{engine.Event{UserID: "x", Name: "visit", Properties: map[string]any{"a": math.Inf(1)}}, "properties.a"},
		{engine.Event{UserID: "x", Name: "visit", PropertiesJSON: []byte(`[]`)}, "properties"},
		{engine.Event{UserID: " ", Name: "visit"}, "user_id"},
		{engine.Event{UserID: strings.Repeat("u", 256), Name: "visit"}, "user_id"},
		{engine.Event{UserID: "\xff", Name: "visit"}, "user_id"},
		{engine.Event{UserID: "x"}, "name"},
		{engine.Event{UserID: "x", Name: "bucket:entered:pro"}, "name"},
		{engine.Event{UserID: "x", Name: " \t", Traits: map[string]any{"plan": "pro"}}, "name"},
		{engine.Event{UserID: "x", Name: strings.Repeat("n", 201)}, "name"},
		{engine.Event{UserID: "x", Name: "a\x00"}, "name"},
		{engine.Event{UserID: "x", Name: "visit", Key: "bucket:pro:x:entered:1"}, "key"},
		{engine.Event{UserID: "x", Name: "visit", Key: strings.Repeat("k", 256)}, "key"},
		{engine.Event{UserID: "x", Name: "visit", OccurredAt: epoch.Add(5*time.Minute + time.Second)}, "occurred_at"},
		{engine.Event{UserID: "x", Name: "visit", OccurredAt: time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)}, "occurred_at"},
		{engine.Event{UserID: "x", Name: "visit", Properties: map[string]any{}, PropertiesJSON: []byte(`{}`)}, "properties"},
	}
	var events []engine.Event
	for i, p := range poison {
		events = append(events, good("u"+itoa(i)), p.ev)
	}
	results, err := w.IngestBatch(t.Context(), events)
	if err == nil {
		t.Error("the batch: got no error")
	}
	for i, p := range poison {
		if results[2*i].Err != nil {
			t.Errorf("good event %d: %v", i, results[2*i].Err)
		}
		var invalid *engine.InvalidError
		if !errors.As(results[2*i+1].Err, &invalid) || invalid.Field != p.field || invalid.Problem == "" {
			t.Errorf("poisoned event %d: got %v, want a refusal of %s", i, results[2*i+1].Err, p.field)
		}
	}
	equal(t, "stored", w.count("select count(*) from bucketgen.events"), len(poison))
	equal(t, "user x", w.count("select count(*) from bucketgen.contacts where user_id = 'x'"), 0)
}

// TestUnforeseenErrorFailsAlone covers what only the database refuses: the batch is tried in
// halves.
func TestUnforeseenErrorFailsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	execSQL(t, w, `create function bucketgen.refuse() returns trigger language plpgsql as
		$$ begin if new.properties ? 'poison' then raise 'no thanks'; end if; return new; end $$`)
	execSQL(t, w, `create trigger refuse before insert on bucketgen.events for each row execute function bucketgen.refuse()`)
	var events []engine.Event
	for i := range 60 {
		ev := engine.Event{UserID: "u" + itoa(i%7), Name: "flip", Properties: map[string]any{"plan": []string{"pro", "free"}[i/7%2]}}
		if i%13 == 5 {
			ev.Properties["poison"] = true
		}
		events = append(events, ev)
	}
	results, err := w.IngestBatch(t.Context(), events)
	if err == nil {
		t.Error("the batch: got no error")
	}
	want := map[string][]string{}
	for i, r := range results {
		if poisoned := i%13 == 5; poisoned != (r.Err != nil) {
			t.Errorf("event %d: got error %v", i, r.Err)
		}
		user := "u" + itoa(i%7)
		want[user] = append(want[user], brief(r.Transitions)...)
	}
	for user, transitions := range want {
		equal(t, "history of "+user, w.history(user), transitions)
	}
	equal(t, "stored", w.count("select count(*) from bucketgen.events"), 55)
	equal(t, "refused", w.Stats().Refused, 5)
}

func execSQL(t testing.TB, w *world, sql string) {
	t.Helper()
	if _, err := w.pool.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestLateEventCountsByWhenItOccurred(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	w.track("ada", "visit")
	w.clock.Advance(30 * time.Minute)
	equal(t, "too old", w.ingest(engine.Event{UserID: "ada", Name: "visit", OccurredAt: epoch.Add(-31 * time.Minute)}), []string{})
	equal(t, "late", w.ingest(engine.Event{UserID: "ada", Name: "visit", OccurredAt: epoch.Add(-29 * time.Minute)}), []string{"entered regulars 1"})
	w.clock.Advance(time.Minute)
	w.settle()
	equal(t, "after the late one left the window", w.has("regulars", "ada"), false)
}

func TestSkewIsClamped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	equal(t, "ahead", w.ingest(engine.Event{UserID: "ada", Name: "visit", OccurredAt: epoch.Add(4 * time.Minute)}), []string{})
	equal(t, "clamped", w.count("select count(*) from bucketgen.events where occurred_at = $1", epoch), 1)
}

func TestTimeDoesNotRunBackwardsForAUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	w.identify("ada", map[string]any{"plan": "pro"})
	w.clock.Advance(-time.Hour)
	equal(t, "leave", w.identify("ada", map[string]any{"plan": "free"}), []string{"left pro 1 by criteria"})
	equal(t, "stay of no time", w.count("select count(*) from bucketgen.memberships where left_at = entered_at"), 1)
}

func TestNewcomers(t *testing.T) {
	t.Parallel()
	absent := bucket.Define(bucket.Spec{ID: "absent", Criteria: visit.Within(bucket.Hour).Never()})
	w := newWorld(t, absent)
	equal(t, "a new user", w.track("ada", "other"), []string{"entered absent 1"})
	equal(t, "the same again", w.track("ada", "other"), []string{})
	equal(t, "a visitor", w.track("bob", "visit"), []string{})
	w.clock.Advance(time.Hour)
	w.settle()
	equal(t, "gone for an hour", w.history("bob"), []string{"entered absent 1"})
}

func TestUnknownNamesAreStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	for i := range 300 {
		w.track("ada", "page "+itoa(i%100))
	}
	equal(t, "names", w.count("select count(distinct event_no) from bucketgen.events"), 100)
}
