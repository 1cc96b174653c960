package simulate_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/simulate"
	"github.com/bucketgen/bucketgen/registry/table"
)

var (
	plan     = bucket.Text("plan")
	upgraded = plan.Changed().From("free").To("pro").Within(bucket.Week)

	dateBuckets = []bucket.Definition{
		bucket.Define(bucket.Spec{ID: "pro", Criteria: plan.Is("pro")}),
		bucket.Define(bucket.Spec{ID: "long-pro", Criteria: plan.HasBeen("pro", 30*bucket.Day)}),
		bucket.Define(bucket.Spec{ID: "upgraded", Criteria: upgraded}),
	}

	today = time.Date(2026, time.November, 29, 12, 0, 0, 0, time.UTC)
)

// write is a value of the property plan, as JSON, with its age in hours.
type write struct {
	value string
	ago   int
}

// arrive ingests values at one instant, in the given order, and returns the user.
func arrive(t testing.TB, r *table.Registry, writes []write, inPayload bool) (*simulate.Simulator, *decide.State) {
	t.Helper()
	return arriveAt(t, r, writes, inPayload, time.Hour)
}

// arriveAt is like arrive, with ages in another unit.
func arriveAt(t testing.TB, r *table.Registry, writes []write, inPayload bool, unit time.Duration) (*simulate.Simulator, *decide.State) {
	t.Helper()
	s := simulate.New(r, table.At(today), decide.Limits{})
	for _, w := range writes {
		o, err := payload.Parse("traits", []byte(`{"plan":`+w.value+`}`), 1<<10, payload.All)
		if err != nil {
			t.Fatal(err)
		}
		e := decide.Event{Kind: decide.Identify, Event: table.NoEvent, OccurredAt: table.At(today.Add(-time.Duration(w.ago) * unit)), Traits: o}
		if inPayload {
			e.Kind, e.Name, e.Properties, e.Traits = decide.Track, "signed", o, payload.Object{}
		}
		s.Ingest("ada", e)
	}
	return s, s.User("ada")
}

// permutations calls do with every order of the writes.
func permutations(writes []write, do func([]write)) {
	var visit func(int)
	visit = func(n int) {
		if n == len(writes) {
			do(writes)
			return
		}
		for i := n; i < len(writes); i++ {
			writes[n], writes[i] = writes[i], writes[n]
			visit(n + 1)
			writes[n], writes[i] = writes[i], writes[n]
		}
	}
	visit(0)
}

// TestOlderValues ingests values of a property in every order. Only their dates count.
func TestOlderValues(t *testing.T) {
	t.Parallel()
	const day = 24
	r := registrytest.Build(t, dateBuckets...)
	for _, test := range []struct {
		name   string
		writes []write
		want   []string
	}{
		{"an older one", []write{{`"pro"`, 0}, {`"free"`, day}}, []string{"pro", "upgraded"}},
		{"an older one that is no upgrade", []write{{`"pro"`, 0}, {`"team"`, day}}, []string{"pro"}},
		{"both long ago", []write{{`"free"`, 90 * day}, {`"pro"`, 60 * day}}, []string{"pro", "long-pro"}},
		{"dated 40 days ago", []write{{`"pro"`, 40 * day}}, []string{"pro", "long-pro"}},
		{"now, and 40 days ago as well", []write{{`"pro"`, 0}, {`"pro"`, 40 * day}}, []string{"pro", "long-pro"}},
		{"now and 40 days ago, with another in between", []write{{`"pro"`, 0}, {`"free"`, 10 * day}, {`"pro"`, 40 * day}}, []string{"pro", "upgraded"}},
		{"sent again after the other", []write{{`"pro"`, 40 * day}, {`"pro"`, 0}, {`"free"`, day}}, []string{"pro", "upgraded"}},
		{"removed since", []write{{`null`, 0}, {`"pro"`, day}}, nil},
		{"removed before", []write{{`null`, 5 * day}, {`"free"`, 9 * day}, {`"pro"`, day}}, []string{"pro"}},
		{"one after the other", []write{{`"free"`, 9 * day}, {`"pro"`, 8 * day}, {`"team"`, 7 * day}, {`"pro"`, 6 * day}}, []string{"pro"}},
	} {
		permutations(test.writes, func(writes []write) {
			for _, inPayload := range []bool{false, true} {
				s, _ := arrive(t, r.Tables(), writes, inPayload)
				var got []string
				for _, id := range []string{"pro", "long-pro", "upgraded"} {
					if b, _ := r.Tables().Bucket(id); s.Member(b, "ada") {
						got = append(got, id)
					}
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("%s, arriving as %v, in payloads %v: in %q, want %q", test.name, writes, inPayload, got, test.want)
				}
			}
		})
	}
}

// TestOneDate ingests two values of one date: the later arrival counts, even if it is late itself.
func TestOneDate(t *testing.T) {
	t.Parallel()
	r := registrytest.Build(t, dateBuckets...)
	for _, writes := range [][]write{{{`"free"`, 5}, {`"pro"`, 5}}, {{`"free"`, 5}, {`"pro"`, 5}, {`"team"`, 6}}} {
		if _, st := arrive(t, r.Tables(), writes, false); st.Contact.Properties.Get("plan").Value.Text != "pro" {
			t.Errorf("%v: the plan is %v, want pro", writes, st.Contact.Properties.Get("plan").Value)
		}
	}
}

// TestLimits pins down the examples of docs/reference/criteria.md where three dates of a property
// do not suffice.
func TestLimits(t *testing.T) {
	t.Parallel()
	r := registrytest.Build(t, dateBuckets...)
	for _, test := range []struct {
		name   string
		writes []write
		want   string // the value, its predecessor, and the instant of the change
	}{
		{"a repetition that is not noted", []write{{`"pro"`, 100}, {`"pro"`, 40}, {`"pro"`, 0}, {`"free"`, 20}}, `"free" was "pro" since 20`},
		{"a repetition that is noted", []write{{`"pro"`, 100}, {`"pro"`, 0}, {`"free"`, 20}}, `"pro" was "free" since 0`},
		{"several repetitions", []write{{`"pro"`, 6000}, {`"pro"`, 4000}, {`"pro"`, 1000}, {`"free"`, 5000}}, `"pro" was "free" since 1000`},
	} {
		_, st := arriveAt(t, r.Tables(), test.writes, false, time.Minute)
		last := st.Changes["plan"]
		got := fmt.Sprintf("%s was %s since %v", st.Contact.Properties.Get("plan").Raw, last.Was, table.At(today).Sub(last.At).Minutes())
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// TestEveryOrder ingests random values in random orders. The property always has the value with the
// newest date. Its predecessor and the instant of the change are exact unless a value was sent
// twice in a row.
func TestEveryOrder(t *testing.T) {
	t.Parallel()
	r := registrytest.Build(t, dateBuckets...)
	draw.Check(t, 2000, func(rt *rapid.T) {
		values := []string{`"pro"`, `"free"`, `"team"`, `null`}
		var writes []write
		ago, twice := 0, false
		for i := range rapid.IntRange(1, 7).Draw(rt, "writes") {
			ago += 2 * rapid.IntRange(1, 40).Draw(rt, "gap")
			w := write{rapid.SampledFrom(values).Draw(rt, "value"), ago}
			twice = twice || i > 0 && writes[i-1].value == w.value
			writes = append(writes, w)
		}
		arriving := rapid.Permutation(slices.Clone(writes)).Draw(rt, "arriving")
		slices.SortFunc(writes, func(a, b write) int { return cmp.Compare(a.ago, b.ago) }) // the newest comes first
		_, st := arrive(t, r.Tables(), arriving, false)
		if got := string(st.Contact.Properties.Get("plan").Raw); got != writes[0].value {
			rt.Fatalf("%v make the plan %s, want %s", arriving, got, writes[0].value)
		}
		if twice || writes[len(writes)-1].value == `null` { // removing a missing value changes nothing
			return
		}
		was := "null"
		if len(writes) > 1 {
			was = writes[1].value
		}
		last := st.Changes["plan"]
		got := fmt.Sprint(string(last.Was), last.At)
		if want := fmt.Sprint(was, table.At(today.Add(-time.Duration(writes[0].ago)*time.Hour))); got != want {
			rt.Fatalf("%v changed the plan last from %s, want from %s", arriving, got, want)
		}
	})
}
