package emit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/registry/table"
)

// TestTables checks that a generated registry is the planned one, except for the functions.
func TestTables(t *testing.T) {
	t.Parallel()
	for _, g := range generated {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			want := planned(t, g.definitions).Registry
			same := cmp.Comparer(func(a, b table.Value) bool { return a == b }) // its method Equal has another meaning
			if d := cmp.Diff(want, g.registry, same, cmpopts.IgnoreFields(table.Bucket{}, "CriteriaFunc"), cmpopts.IgnoreUnexported(table.Registry{})); d != "" {
				t.Errorf("the generated registry is not the planned one (-planned +generated):\n%s", d)
			}
		})
	}
}

// TestFunctions checks that generated functions give the verdicts of the tables, on any facts.
func TestFunctions(t *testing.T) {
	t.Parallel()
	for _, g := range generated {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			buckets := slices.Clone(g.registry.Buckets)
			for i := range buckets {
				b := &buckets[i]
				if (b.CriteriaFunc == nil) != (b.Kind == table.Manual) {
					t.Errorf("bucket %s, kind %d: has a function: %t", b.ID, b.Kind, b.CriteriaFunc != nil)
				}
				b.CriteriaFunc = nil
			}
			r := g.registry
			tables := &table.Registry{
				Fingerprint: r.Fingerprint, Buckets: buckets, Events: r.Events, Properties: r.Properties, Signals: r.Signals, Fields: r.Fields,
				Sequences: r.Sequences, ByEvent: r.ByEvent, ByProperty: r.ByProperty, Newcomers: r.Newcomers,
			}
			rapid.Check(t, func(t *rapid.T) {
				function, listed := anyFacts(t, g.registry)
				for i, b := range g.registry.Buckets {
					if b.Kind == table.Manual {
						continue
					}
					got, _ := g.registry.Evaluate(table.BucketIndex(i), function, now)
					want, _ := tables.Evaluate(table.BucketIndex(i), listed, now)
					if got != want {
						t.Errorf("bucket %s: the function says %v, the table %v", b.ID, got, want)
					}
				}
				if d := cmp.Diff(listed.Lacks(), function.Lacks()); d != "" {
					t.Errorf("the functions lack other facts than the tables (-tables +functions):\n%s", d)
				}
			})
		})
	}
}

// likely returns the values and ages that the criteria of a registry compare with.
func likely(r *table.Registry) ([]table.Value, []time.Duration) {
	text := func(s string) table.Value { return table.Value{Kind: table.Text, Text: s} }
	values := []table.Value{{}, {Kind: table.Composite}, {Kind: table.Bool}, {Kind: table.Number, Number: 3}, text("a team")}
	for _, json := range []string{
		`[]`, `["a", "b"]`, `["vip", 5, "beta"]`, `[1, 2, 3]`,
		`{"country": "NO", "geo": {"city": "Oslo"}}`, `{"country": "SE", "rooms": ["kitchen"], "staff": 10}`, `{"country": "DK", "geo": []}`,
	} {
		values = append(values, table.Value{Kind: table.Composite, Text: json})
	}
	ages := []time.Duration{0, time.Hour}
	for i := range r.Buckets {
		for _, n := range r.Buckets[i].Criteria {
			values = append(values, n.Value)
			values = append(values, text("x"+n.Value.Text), text(strings.ToUpper(n.Value.Text)+"x"), text("x+test@"+n.Value.Text))
			ages = append(ages, n.Span, n.Span-time.Microsecond, n.Span+time.Microsecond)
			for _, edge := range []time.Duration{n.Window.Span, n.Window.Until} {
				ages = append(ages, edge, edge-time.Microsecond, edge+time.Microsecond)
			}
			if n.With == nil {
				continue
			}
			values = append(values, n.With.From, n.With.To)
			for _, s := range n.With.Texts {
				values = append(values, text(s), text(strings.ToLower(s)))
			}
			for _, f := range n.With.Numbers {
				values = append(values, table.Value{Kind: table.Number, Number: f})
			}
		}
	}
	return values, ages
}

// now is the instant of every evaluation.
const now table.Instant = 1_800_000_000_000_000

// anyFacts draws facts about a user, twice. Operands of conditions, and the edges of their windows,
// are likely.
func anyFacts(t *rapid.T, r *table.Registry) (*table.Facts, *table.Facts) {
	values, ages := likely(r)
	instant := rapid.Custom(func(t *rapid.T) table.Instant {
		age := rapid.SampledFrom(ages).Draw(t, "age")
		if rapid.Bool().Draw(t, "future") {
			age = -age
		}
		return now.Add(-age)
	})
	value := rapid.OneOf(rapid.SampledFrom(values), rapid.Custom(func(t *rapid.T) table.Value {
		at := instant.Draw(t, "value")
		return table.Value{Kind: table.Text, Text: at.Time().Format(time.RFC3339Nano)}
	}))

	user := rapid.StringN(1, 8, -1).Draw(t, "user")
	a, b := r.NewFacts(user), r.NewFacts(user)
	if rapid.Bool().Draw(t, "complete") {
		a, b = a.Complete(), b.Complete()
	}
	for p := range r.Properties {
		if len(r.Properties[p].Path) > 0 {
			continue // the property around it has set it
		}
		if rapid.Bool().Draw(t, "changed") {
			c := table.LastChange{Property: table.PropertyIndex(p), Was: value.Draw(t, "was"), At: instant.Draw(t, "at")}
			a.SetLastChange(c)
			b.SetLastChange(c)
		}
		v := value.Draw(t, r.Properties[p].Name)
		a.SetProperty(table.PropertyIndex(p), v)
		b.SetProperty(table.PropertyIndex(p), v)
	}
	for s := range r.Signals {
		if !rapid.Bool().Draw(t, "loaded") {
			continue
		}
		for _, f := range []*table.Facts{a, b} {
			f.SetNewest(table.SignalIndex(s), nil)
			f.SetTotal(table.SignalIndex(s), table.NoTotal)
			for place := range r.Signals[s].Ago {
				f.SetPastWindow(table.SignalIndex(s), place, table.PastWindow{})
			}
		}
		if r.Signals[s].Field != table.NoField && rapid.Bool().Draw(t, "single") {
			at := min(instant.Draw(t, "first"), now)
			once := table.Total{Count: 1, First: at, Last: at, Field: &table.Ends{First: value.Draw(t, "first"), Last: value.Draw(t, "last")}}
			a.SetTotal(table.SignalIndex(s), once)
			b.SetTotal(table.SignalIndex(s), once)
		}
		for _, at := range rapid.SliceOfN(instant, 0, 6).Draw(t, r.Signals[s].Key) {
			if at <= now {
				o := table.Occurrence{Signal: table.SignalIndex(s), At: at, Group: at.String()}
				a.Add(o)
				b.Add(o)
			}
		}
	}
	anySequences(t, r, instant, a, b)
	return a, b
}

// anySequences adds facts about sequences.
func anySequences(t *rapid.T, r *table.Registry, instant *rapid.Generator[table.Instant], all ...*table.Facts) {
	for s := range r.Sequences {
		steps := rapid.Uint16Range(1, 1<<len(r.Sequences[s].Steps)-1)
		key := ""
		if r.Sequences[s].Keyed {
			key = "k"
		}
		if rapid.Bool().Draw(t, "known") {
			for _, f := range all {
				f.SetProgress(table.SequenceIndex(s), key, table.NoProgress(&r.Sequences[s]))
				f.SetCompletion(table.SequenceIndex(s), table.Unset)
				f.SetOpen(table.SequenceIndex(s), table.Unset, nil, false)
			}
		}
		for _, at := range rapid.SliceOfN(instant, 0, 6).Draw(t, r.Sequences[s].Key) {
			if at <= now {
				step := table.Advance{Sequence: table.SequenceIndex(s), Key: key, At: at, Steps: table.StepSet(steps.Draw(t, "steps"))}
				for _, f := range all {
					f.Advance(step)
				}
			}
		}
	}
}
