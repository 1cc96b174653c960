package engine_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/internal/refeval/subject"
)

// traits returns n traits, whose names begin with a prefix.
func traits(prefix string, n int) map[string]any {
	all := make(map[string]any, n)
	for i := range n {
		all[prefix+strconv.Itoa(i)] = i
	}
	return all
}

// TestPropertiesOfUsersAreBounded refuses events that would give a user more properties than are
// allowed, by name, and takes in everything else of the same call.
func TestPropertiesOfUsersAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	refused := func(what, field, problem string, err error) {
		t.Helper()
		invalid, ok := errors.AsType[*engine.InvalidError](err)
		if !ok || invalid.Field != field || !strings.Contains(invalid.Problem, problem) {
			t.Errorf("%s: got %v, want %s: %s", what, err, field, problem)
		}
	}
	_, err := w.Ingest(t.Context(), engine.Event{UserID: "many", Traits: traits("t", 1001)})
	refused("a single event", "traits", "1001 properties, more than the 1000", err)
	w.identify("ada", traits("a", 600))
	results, err := w.IngestBatch(t.Context(), []engine.Event{
		{UserID: "ada", Name: "visit"},
		{UserID: "ada", Traits: traits("b", 401)},
		{UserID: "ada", Traits: traits("b", 400)},
		{UserID: "bob", Traits: map[string]any{"plan": "pro"}},
		{UserID: "ada", Traits: map[string]any{"plan": "pro"}},
		{UserID: "ada", Name: "visit", Properties: map[string]any{"plan": "pro"}},
		{UserID: "ada", Traits: map[string]any{"a0": nil, "plan": "pro"}},
	})
	if err == nil {
		t.Error("nothing was refused")
	}
	for i, field := range []string{"", "traits", "", "", "traits", "properties", ""} {
		if field == "" {
			if results[i].Err != nil {
				t.Errorf("event %d: %v", i, results[i].Err)
			}
			continue
		}
		refused("event "+strconv.Itoa(i), field, "100", results[i].Err)
	}
	if !w.has("pro", "ada") || !w.has("pro", "bob") {
		t.Error("what was not refused was not taken in")
	}
	if n := w.count("select count(*) from bucketgen.events e join bucketgen.contacts c on c.id = e.contact_id where c.user_id = 'ada'"); n != 4 {
		t.Errorf("%d events are in the log, want 4", n)
	}
	w.identify("ada", map[string]any{"a1": "another value"}) // a user who has as many as allowed may change them

	text := strings.Repeat("x", 30_000)
	w.identify("eve", map[string]any{"one": text})
	w.identify("eve", map[string]any{"two": text})
	_, err = w.Ingest(t.Context(), engine.Event{UserID: "eve", Traits: map[string]any{"three": text}})
	refused("bytes", "traits", "bytes of properties, more than the 65536", err)
	w.identify("eve", map[string]any{"two": nil, "three": text})

	w.identify("one", traits("o", 700))
	w.identify("two", traits("t", 700))
	_, err = w.Merge(t.Context(), "one", "two")
	refused("a merge", "from", "1400 of them, more than the 1000", err)
	w.identify("three", traits("t", 1000))
	if _, err := w.Merge(t.Context(), "three", "two"); err != nil { // they have 700 names in common
		t.Error(err)
	}

	err = pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error {
		_, err := w.IngestTx(t.Context(), tx, engine.Event{UserID: "one", Name: "visit"}, engine.Event{UserID: "one", Traits: traits("x", 301)})
		return err
	})
	refused("in a transaction", "traits", "1001 properties, more than the 1000", err)
}

// TestLimitsOfTheSimulator plays random histories within narrow limits: engine and simulator refuse
// the same events and merges, events in the same words, and come to the same memberships.
func TestLimitsOfTheSimulator(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	refused := map[refeval.Op]int{}
	draw.Check(t, 300, func(t *rapid.T) {
		n, users := begin(t, pool)
		f, m := draw.Definitions(t, 5), manner(t, n)
		m.Limits = decide.Limits{Properties: rapid.IntRange(1, 5).Draw(t, "properties"), Bytes: rapid.IntRange(20, 200).Draw(t, "bytes")}
		steps := draw.Steps(t, f, users, 30)
		until := steps[len(steps)-1].At.Add(draw.Hour)
		story := fmt.Sprintf("%+v\n%s%suntil %s", m.Limits, refeval.Describe(f), refeval.DescribeSteps(steps), until)
		want, err := subject.SimulateWithin(event.Limits{User: m.Limits}, f, steps, until)
		if err != nil {
			t.Fatalf("%v\n%s", err, story)
		}
		got, err := subject.Engine(t.Context(), pool, f, steps, until, m)
		if err != nil {
			t.Fatalf("%v\n%s", err, story)
		}
		if diff := refeval.Diff(want, got); diff != "" {
			t.Fatalf("simulator and engine differ\n%s\n%s", diff, story)
		}
		for i, step := range steps {
			if step.Op == refeval.Ingest && want.Steps[i].Refused != got.Steps[i].Refused {
				t.Fatalf("step %d: the simulator says %q, the engine %q\n%s", i, want.Steps[i].Refused, got.Steps[i].Refused, story)
			}
			if strings.Contains(got.Steps[i].Refused, "that are allowed; set some to null") {
				refused[step.Op]++
			}
		}
	})
	if refused[refeval.Ingest] == 0 || refused[refeval.Merge] == 0 {
		t.Errorf("the limits refused %v, want events and merges", refused)
	}
}
