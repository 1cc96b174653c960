package table_test

import (
	"cmp"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/registry/table"
)

// TestReference compares truth and horizon of random criteria, on random facts and at random
// instants, with those of the reference.
func TestReference(t *testing.T) {
	t.Parallel()
	draw.Check(t, 15000, func(t *rapid.T) {
		// Two buckets share the tables of events, which must keep as much as the one that needs
		// more.
		f := &ir.File{}
		for _, id := range []string{"a", "b"} {
			f.Definitions = append(f.Definitions, ir.Definition{ID: id, Kind: ir.Dynamic, Criteria: draw.Criteria(t, 3)})
		}
		draw.AskAboutMembers(t, f.Definitions)
		r := plan.Build(f).Registry
		known, properties := draw.Facts(t, draw.Start)
		full, newest := factsOf(t, r, known, properties)
		clocks := []time.Time{draw.Clock(t, draw.Start), draw.Clock(t, draw.Start), draw.Clock(t, draw.Start)}
		slices.SortFunc(clocks, time.Time.Compare) // a user's time never runs backwards
		for _, now := range clocks {
			for i, d := range f.Definitions {
				for _, facts := range []*table.Facts{full, newest} {
					verdict, _ := r.Evaluate(table.BucketIndex(i), facts, table.At(now))
					if problem := compare(d.Criteria, known, now, verdict); problem != "" {
						t.Fatalf("%s\n%s\nat %s\nevents %v\nproperties %s\nchanges %v", problem, refeval.DescribeNode(d.Criteria), now, known.Events, properties, known.Changes)
					}
				}
			}
		}
	})
}

// memberships answers as the reference does.
type memberships struct {
	registry *table.Registry
	known    *refeval.Facts
}

func (m memberships) Membership(b table.BucketIndex) table.Verdict {
	id := m.registry.Buckets[b].ID
	return table.Verdict{True: m.known.Members[id], Until: instantOf(m.known.Due[id])}
}

// factsOf makes the facts of a user in both ways in which they come: one by one, and as the newest
// that suffice.
func factsOf(t *rapid.T, r *table.Registry, known *refeval.Facts, properties []byte) (full, newest *table.Facts) {
	object, err := payload.Parse("properties", properties, 1<<20, payload.All)
	if err != nil {
		t.Fatal(err)
	}
	full, newest = r.NewFacts(known.User).Complete(), r.NewFacts(known.User)
	for _, f := range []*table.Facts{full, newest} {
		f.SetMemberships(memberships{r, known})
	}
	for _, field := range object.Fields {
		if p, declared := r.Property(field.Key); declared {
			full.SetProperty(p, field.Whole())
			newest.SetProperty(p, field.Whole())
			if change, changed := known.Changes[field.Key]; changed {
				c := table.LastChange{Property: p, Was: valueOf(t, change.Was), At: table.At(change.At)}
				full.SetLastChange(c)
				newest.SetLastChange(c)
			}
		}
	}
	all := make([][]table.Occurrence, len(r.Signals))
	for _, ev := range known.Events {
		occurrences := r.Occurrences(nil, r.Event(ev.Name), table.At(ev.At), payloadOf(t, ev))
		for _, o := range occurrences {
			full.Add(o)
			all[o.Signal] = append(all[o.Signal], o)
		}
		for _, a := range r.Advances(nil, occurrences) {
			full.Advance(a)
		}
	}
	loadSequences(newest, full, r)
	for s := range r.Signals {
		load(newest, table.SignalIndex(s), &r.Signals[s], all[s])
	}
	return full, newest
}

// loadSequences loads what suffices of sequences: the outcome of the advances of others.
func loadSequences(f, full *table.Facts, r *table.Registry) {
	for s := range r.Sequences {
		completed := table.Unset
		var open []table.OpenChain
		for _, p := range full.ProgressChanges() {
			if p.Sequence != table.SequenceIndex(s) {
				continue
			}
			if at := p.Outcome(); at != table.Unset {
				completed = max(completed, at)
				open = append(open, table.OpenChain{At: at, Key: p.Key})
			}
			f.SetProgress(p.Sequence, p.Key, p.Progress)
		}
		slices.SortFunc(open, func(a, b table.OpenChain) int { return cmp.Compare(a.At, b.At) })
		f.SetCompletion(table.SequenceIndex(s), completed)
		f.SetOpen(table.SequenceIndex(s), table.Unset, open, false)
		if !r.Sequences[s].Keyed && !slices.ContainsFunc(full.ProgressChanges(), func(p table.ProgressChange) bool { return p.Sequence == table.SequenceIndex(s) }) {
			f.SetProgress(table.SequenceIndex(s), "", table.NoProgress(&r.Sequences[s]))
		}
	}
}

// payloadOf looks up what came with an event.
func payloadOf(t *rapid.T, ev refeval.Event) func(string) table.Value {
	raw, err := json.Marshal(ev.Properties)
	if err != nil {
		t.Fatal(err)
	}
	object, err := payload.Parse("properties", raw, 1<<20, payload.All)
	if err != nil {
		t.Fatal(err)
	}
	return object.Value
}

// load loads what suffices of the occurrences of a signal, which come in the order of arrival.
func load(f *table.Facts, s table.SignalIndex, row *table.Signal, all []table.Occurrence) {
	total := table.NoTotal
	for _, o := range all {
		total = total.With(o)
	}
	if row.Totals {
		f.SetTotal(s, total)
	}
	newest := []table.Dated{}
	slices.SortStableFunc(all, func(a, b table.Occurrence) int { return cmp.Compare(b.At, a.At) })
	seen := map[string]bool{}
	for _, o := range all {
		if row.Distinct == table.DistinctNone || !seen[o.Group] {
			newest = append(newest, table.Dated{At: o.At, Group: o.Group})
		}
		seen[o.Group] = true
	}
	for position := range row.Sums {
		sum := table.NoSum()
		for _, o := range slices.Backward(all) {
			number := table.Decimal(o.Value.Number)
			sum.Total.Add(sum.Total, number)
			sum.Count++
			sum.Oldest = append(sum.Oldest, table.Summand{At: o.At, Number: number})
		}
		f.SetSum(s, position, sum)
	}
	for position := range row.Ago {
		loaded := table.PastWindow{}
		for _, o := range slices.Backward(all) {
			loaded.At = append(loaded.At, o.At)
		}
		f.SetPastWindow(s, position, loaded)
	}
	if row.Newest > 0 {
		f.SetNewest(s, newest[:min(len(newest), row.Newest)])
	}
}

// valueOf reads a value as it is stored.
func valueOf(t *rapid.T, value any) table.Value {
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	v, err := payload.StoredValue(raw)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// compare says what is wrong with a verdict.
func compare(n *ir.Node, f *refeval.Facts, now time.Time, got table.Verdict) string {
	if want := refeval.Holds(n, f, now); got.True != want {
		return "the registry says " + word(got.True) + ", the reference " + word(want)
	}
	until := refeval.Until(n, f, now)
	if want := instantOf(until); got.Until != want {
		return "the registry's horizon is " + got.Until.String() + ", the reference's " + want.String()
	}
	// What follows is of the rule itself, by either computation.
	if next := instantOf(refeval.NextChange(n, f, now)); got.Until > next {
		return "the horizon " + got.Until.String() + " is later than the next change " + next.String()
	}
	if got.Until != table.Never && !changes(n, f, until) {
		return "no condition changes at the horizon " + got.Until.String()
	}
	return ""
}

// changes reports whether one of the conditions of a criteria changes at an instant.
func changes(n *ir.Node, f *refeval.Facts, at time.Time) bool {
	if n.Op == ir.OpMember {
		return at.Equal(f.Due[n.Bucket])
	}
	if len(n.Children) == 0 {
		return refeval.Holds(n, f, at) != refeval.Holds(n, f, at.Add(-time.Microsecond))
	}
	return slices.ContainsFunc(n.Children, func(child *ir.Node) bool { return changes(child, f, at) })
}

func instantOf(t time.Time) table.Instant {
	if t.IsZero() {
		return table.Never
	}
	return table.At(t)
}

func word(holds bool) string {
	if holds {
		return "yes"
	}
	return "no"
}
