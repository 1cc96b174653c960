package emit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/registry"
)

// TestTables checks that a generated registry is the planned one, but for the functions.
func TestTables(t *testing.T) {
	t.Parallel()
	for _, g := range generated {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			want := planned(t, g.definitions).Registry
			same := cmp.Comparer(func(a, b registry.Value) bool { return a == b }) // its method Equal asks something else
			if d := cmp.Diff(want, g.registry, same, cmpopts.IgnoreFields(registry.Bucket{}, "CriteriaFunc"), cmpopts.IgnoreUnexported(registry.Registry{})); d != "" {
				t.Errorf("the generated registry is not the planned one (-planned +generated):\n%s", d)
			}
		})
	}
}

// TestFunctions checks that generated functions decide as the tables do, whatever is known of a user.
func TestFunctions(t *testing.T) {
	t.Parallel()
	for _, g := range generated {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			buckets := slices.Clone(g.registry.Buckets)
			for i := range buckets {
				b := &buckets[i]
				if (b.CriteriaFunc == nil) != (b.Kind == registry.Manual) {
					t.Errorf("bucket %s, kind %d: has a function: %t", b.ID, b.Kind, b.CriteriaFunc != nil)
				}
				b.CriteriaFunc = nil
			}
			r := g.registry
			tables := &registry.Registry{
				Fingerprint: r.Fingerprint, Buckets: buckets, Events: r.Events, Properties: r.Properties, Signals: r.Signals, Fields: r.Fields,
				Sequences: r.Sequences, ByEvent: r.ByEvent, ByProperty: r.ByProperty, Newcomers: r.Newcomers,
			}
			rapid.Check(t, func(t *rapid.T) {
				function, table := anyFacts(t, g.registry)
				for i, b := range g.registry.Buckets {
					if b.Kind == registry.Manual {
						continue
					}
					got, _ := g.registry.Evaluate(registry.Index(i), function, now)
					want, _ := tables.Evaluate(registry.Index(i), table, now)
					if got != want {
						t.Errorf("bucket %s: the function says %v, the table %v", b.ID, got, want)
					}
				}
				if d := cmp.Diff(table.Lacks(), function.Lacks()); d != "" {
					t.Errorf("the functions lack other facts than the tables (-tables +functions):\n%s", d)
				}
			})
		})
	}
}

// likely returns what decides about the criteria of a registry: values, and how long ago something was.
func likely(r *registry.Registry) ([]registry.Value, []time.Duration) {
	text := func(s string) registry.Value { return registry.Value{Kind: registry.Text, Text: s} }
	values := []registry.Value{{}, {Kind: registry.Composite}, {Kind: registry.Bool}, {Kind: registry.Number, Number: 3}, text("a team")}
	for _, json := range []string{
		`[]`, `["a", "b"]`, `["vip", 5, "beta"]`, `[1, 2, 3]`,
		`{"country": "NO", "geo": {"city": "Oslo"}}`, `{"country": "SE", "rooms": ["kitchen"], "staff": 10}`, `{"country": "DK", "geo": []}`,
	} {
		values = append(values, registry.Value{Kind: registry.Composite, Text: json})
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
				values = append(values, registry.Value{Kind: registry.Number, Number: f})
			}
		}
	}
	return values, ages
}

// now is the instant of every evaluation.
const now registry.Instant = 1_800_000_000_000_000

// anyFacts draws facts about a user, twice. What conditions compare with, and the edges of their windows, are likely.
func anyFacts(t *rapid.T, r *registry.Registry) (*registry.Facts, *registry.Facts) {
	values, ages := likely(r)
	instant := rapid.Custom(func(t *rapid.T) registry.Instant {
		age := rapid.SampledFrom(ages).Draw(t, "age")
		if rapid.Bool().Draw(t, "future") {
			age = -age
		}
		return now.Add(-age)
	})
	value := rapid.OneOf(rapid.SampledFrom(values), rapid.Custom(func(t *rapid.T) registry.Value {
		at := instant.Draw(t, "value")
		return registry.Value{Kind: registry.Text, Text: at.Time().Format(time.RFC3339Nano)}
	}))

	user := rapid.StringN(1, 8, -1).Draw(t, "user")
	a, b := r.NewFacts(user), r.NewFacts(user)
	if rapid.Bool().Draw(t, "complete") {
		a, b = a.Complete(), b.Complete()
	}
	for p := range r.Properties {
		if len(r.Properties[p].Path) > 0 {
			continue // what it lies inside of has set it
		}
		if rapid.Bool().Draw(t, "changed") {
			c := registry.Change{Property: registry.Property(p), Was: value.Draw(t, "was"), At: instant.Draw(t, "at")}
			a.SetChange(c)
			b.SetChange(c)
		}
		v := value.Draw(t, r.Properties[p].Name)
		a.SetProperty(registry.Property(p), v)
		b.SetProperty(registry.Property(p), v)
	}
	for s := range r.Signals {
		if !rapid.Bool().Draw(t, "loaded") {
			continue
		}
		for _, f := range []*registry.Facts{a, b} {
			f.SetNewest(registry.Signal(s), nil)
			f.SetTotal(registry.Signal(s), registry.NoTotal)
			for place := range r.Signals[s].Ago {
				f.SetStretch(registry.Signal(s), place, registry.Stretch{})
			}
		}
		if r.Signals[s].Field != registry.NoField && rapid.Bool().Draw(t, "single") {
			at := min(instant.Draw(t, "first"), now)
			once := registry.Total{Count: 1, First: at, Last: at, Field: &registry.Ends{First: value.Draw(t, "first"), Last: value.Draw(t, "last")}}
			a.SetTotal(registry.Signal(s), once)
			b.SetTotal(registry.Signal(s), once)
		}
		for _, at := range rapid.SliceOfN(instant, 0, 6).Draw(t, r.Signals[s].Key) {
			if at <= now {
				o := registry.Occurrence{Signal: registry.Signal(s), At: at, Group: at.String()}
				a.Add(o)
				b.Add(o)
			}
		}
	}
	anySequences(t, r, instant, a, b)
	return a, b
}

// anySequences adds what is known of sequences to facts.
func anySequences(t *rapid.T, r *registry.Registry, instant *rapid.Generator[registry.Instant], all ...*registry.Facts) {
	for s := range r.Sequences {
		steps := rapid.Uint16Range(1, 1<<len(r.Sequences[s].Steps)-1)
		key := ""
		if r.Sequences[s].Keyed {
			key = "k"
		}
		if rapid.Bool().Draw(t, "known") {
			for _, f := range all {
				f.SetProgress(registry.Sequence(s), key, registry.NoProgress(&r.Sequences[s]))
				f.SetCompletion(registry.Sequence(s), registry.Unset)
				f.SetOpen(registry.Sequence(s), registry.Unset, nil, false)
			}
		}
		for _, at := range rapid.SliceOfN(instant, 0, 6).Draw(t, r.Sequences[s].Key) {
			if at <= now {
				step := registry.Advance{Sequence: registry.Sequence(s), Key: key, At: at, Steps: registry.Steps(steps.Draw(t, "steps"))}
				for _, f := range all {
					f.Advance(step)
				}
			}
		}
	}
}
