package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// TestEvidenceTexts reads what is said of every kind of condition. It is ten o'clock; ada visited
// at two, seven and nine.
func TestEvidenceTexts(t *testing.T) {
	t.Parallel()
	const h = bucket.Hour
	pages, kind, ends := visit.Number("pages"), visit.Text("kind"), bucket.Time("ends")
	tests := []struct {
		name     string
		criteria bucket.Criteria
		want     string
	}{
		{"missing", seats.AtLeast(1), `it has no value`},
		{"value", plan.Is("free"), `it is "pro"`},
		{"instant", ends.InTheNext(3 * h), `it is 2026-01-01T15:00:00Z (in 5 hours); time alone may change that at 2026-01-01T12:00:00Z (in 2 hours)`},
		{"history", plan.HasBeen("pro", 5*h), `it is "pro" since 2026-01-01T07:00:00Z (3 hours ago), and was "free" before; time alone may change that at 2026-01-01T12:00:00Z (in 2 hours)`},
		{"turned", bucket.Not(plan.Is("free")), `it is "pro"`},
		{"ever", visit.AtLeast(2), `there are 3; the newest was at 2026-01-01T09:00:00Z (1 hour ago)`},
		{"none", purchase.Never(), `there is none`},
		{"two", visit.Within(5 * h).AtLeast(2), `there are 2 or more; the newest was at 2026-01-01T09:00:00Z (1 hour ago); the 2nd newest was at 2026-01-01T07:00:00Z (3 hours ago), and counts until 2026-01-01T12:00:00Z (in 2 hours)`},
		{"lately", visit.Within(2 * h).Never(), `there is 1; the newest was at 2026-01-01T09:00:00Z (1 hour ago), and counts until 2026-01-01T11:00:00Z (in 1 hour)`},
		{"kinds", visit.Within(9 * h).Distinct(kind).AtLeast(3), `there are 2: "b", "a"; the newest was at 2026-01-01T09:00:00Z (1 hour ago)`},
		{"first", kind.Of(visit.First()).Is("a"), `it was at 2026-01-01T02:00:00Z (8 hours ago), with "a"`},
		{"last", purchase.Text("kind").Of(purchase.Last()).Is("a"), `there was none`},
		{"firsttime", visit.FirstTimeWithin(9 * h), `the first was at 2026-01-01T02:00:00Z (8 hours ago); time alone may change that at 2026-01-01T11:00:00Z (in 1 hour)`},
		{"sum", visit.Within(5 * h).Sum(pages).AtLeast(11), `it is 10.5, of 2 occurrences; the oldest counts until 2026-01-01T12:00:00Z (in 2 hours)`},
		{"average", visit.Avg(pages).AtLeast(11), `it is about 3.83333: 11.5, of 3 occurrences`},
		{"greatest", visit.Within(5 * h).Max(pages).AtMost(5), `of the former there is 1 or more; the newest was at 2026-01-01T09:00:00Z (1 hour ago), and counts until 2026-01-01T14:00:00Z (in 4 hours); of the latter there is 1 or more; the newest was at 2026-01-01T07:00:00Z (3 hours ago), and counts until 2026-01-01T12:00:00Z (in 2 hours)`},
		{"completed", visit.ThenWithin(3*h, visit).InTheLast(5 * h), `it was last completed at 2026-01-01T09:00:00Z (1 hour ago), and had begun at 2026-01-01T07:00:00Z (3 hours ago); time alone may change that at 2026-01-01T14:00:00Z (in 4 hours)`},
		{"keyed", visit.ThenWithin(6*h, visit).By(kind).Exists(), `it was last completed at 2026-01-01T07:00:00Z (3 hours ago)`},
		{"begun", visit.ThenWithin(3*h, purchase).Exists(), `1 of 2 steps were taken, the last of those at 2026-01-01T09:00:00Z (1 hour ago)`},
		{"never", purchase.ThenWithin(3*h, visit).Exists(), `it was never completed`},
		{"waiting", visit.ThenNot(purchase).Within(3 * h).Exists(), `1 chain unanswered, the oldest since 2026-01-01T09:00:00Z (1 hour ago), whose time ends at 2026-01-01T12:00:00Z (in 2 hours)`},
		{"over", visit.ThenNot(purchase).Within(h).By(kind, purchase.Text("kind")).Exists(), `2 chains unanswered, the oldest since 2026-01-01T07:00:00Z (3 hours ago), whose time ended at 2026-01-01T08:00:00Z (2 hours ago)`},
		{"answered", purchase.ThenNot(visit).Within(h).Exists(), `nothing waits for what must not follow`},
		{"in", bucket.InBucket("ever"), `the user is`},
		{"sample", bucket.Sample(50, "salt"), `the user's number is 4.801, and those below 50 are in it`},
	}
	definitions := make([]bucket.Definition, len(tests))
	for i, test := range tests {
		definitions[i] = bucket.Define(bucket.Spec{ID: test.name, Criteria: bucket.All(bucket.Event("login").Exists(), test.criteria)})
	}
	definitions[5] = bucket.Define(bucket.Spec{ID: "ever", Criteria: bucket.All(tests[5].criteria)})
	w := newWorld(t, definitions...)
	at := func(hour int) { w.clock.Advance(epoch.Add(time.Duration(hour) * h).Sub(w.clock.Now())) }
	visits := func(hour int, pages float64, kind string) {
		at(hour)
		w.ingest(engine.Event{UserID: "ada", Name: "visit", Properties: map[string]any{"pages": pages, "kind": kind}})
	}
	w.identify("ada", map[string]any{"plan": "free", "ends": epoch.Add(15 * h).Format(time.RFC3339)})
	visits(2, 1, "a")
	visits(7, 10, "a")
	w.identify("ada", map[string]any{"plan": "pro"})
	visits(9, 0.5, "b")
	at(10)
	for _, test := range tests {
		x, err := w.Explain(t.Context(), w.ref(test.name), "ada")
		if err != nil {
			t.Fatal(err)
		}
		parts := x.Criteria.Parts
		if diff := cmp.Diff(test.want, parts[len(parts)-1].Evidence.Text); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// TestNextInWords reads what is said of what comes next, where it is something else than in the
// examples of bucketd.
func TestNextInWords(t *testing.T) {
	t.Parallel()
	at := func(hours int) time.Time { return epoch.Add(time.Duration(hours) * bucket.Hour) }
	left := engine.Transition{Kind: engine.Left, Reason: engine.ReasonCriteria, At: at(5)}
	for _, test := range []struct {
		name string
		x    engine.Explanation
		want string
	}{
		{"paused", engine.Explanation{Paused: true}, "  nothing, while the bucket is paused\n"},
		{
			"too much",
			engine.Explanation{NothingUntil: at(24)},
			"  nothing else before 2026-01-02T00:00:00Z (in 1 day); the forecast ends there\n",
		},
		{
			"unannounced",
			engine.Explanation{Next: []engine.Transition{{Kind: engine.Entered, Suppressed: true, At: at(1)}}},
			"  joins, unannounced, at 2026-01-01T01:00:00Z (in 1 hour)\n",
		},
		{
			"ticks",
			engine.Explanation{Next: []engine.Transition{{Kind: engine.Dwell, Tick: "every-90m", DwellCount: 3, At: at(2)}, left}},
			"  ticks, number 3 of every 90m, at 2026-01-01T02:00:00Z (in 2 hours)\n" +
				"  leaves, because the criteria fails, at 2026-01-01T05:00:00Z (in 5 hours)\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.x.At = epoch
			_, got, _ := strings.Cut(test.x.String(), "\nNext, if no event arrives:\n")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
