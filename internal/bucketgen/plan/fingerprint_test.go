package plan_test

import (
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
)

// definition has every field set. Tests change it.
func definition() *ir.File {
	no := false
	return &ir.File{
		Properties: []ir.Property{{GoName: "Plan", Name: "plan", Type: ir.Text}},
		Definitions: []ir.Definition{{
			GoName: "A", Doc: "A is a bucket.", Pos: ir.Pos{File: "a.go", Line: 1},
			ID: "a", Name: "A", Description: "Users.", Kind: ir.Dynamic,
			Criteria:   all(is("plan", "pro"), some(event("visit", ir.Gte, 3, week), event("buy", ir.Eq, 1, 0))),
			EntryLimit: ir.OncePerPeriod, EntryPeriod: week, MinDwell: time.Hour, MaxDwell: 2 * time.Hour,
			Ticks: []ir.Tick{{Span: time.Hour}}, ReconcileJoins: &no, ReconcileEvery: time.Hour, FastExpiry: true,
		}},
	}
}

func fingerprints(f *ir.File) (bucket, all string) {
	r := plan.Build(f).Registry
	return r.Buckets[0].Fingerprint, r.Fingerprint
}

// TestFingerprint checks that a fingerprint changes with all that changes members and
// announcements.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	leaf := func(f *ir.File, i int) *ir.Node { return f.Definitions[0].Criteria.Children[1].Children[i] }
	tests := map[string]struct {
		change func(f *ir.File, d *ir.Definition)
		want   bool
	}{
		"nothing":         {func(*ir.File, *ir.Definition) {}, false},
		"go name":         {func(_ *ir.File, d *ir.Definition) { d.GoName = "B" }, false},
		"comment":         {func(_ *ir.File, d *ir.Definition) { d.Doc = "Another." }, false},
		"position":        {func(_ *ir.File, d *ir.Definition) { d.Pos.Line, d.Criteria.Pos.Line = 9, 10 }, false},
		"name":            {func(_ *ir.File, d *ir.Definition) { d.Name = "B" }, false},
		"description":     {func(_ *ir.File, d *ir.Definition) { d.Description = "" }, false},
		"reconcile every": {func(_ *ir.File, d *ir.Definition) { d.ReconcileEvery = 0 }, false},
		"fast expiry":     {func(_ *ir.File, d *ir.Definition) { d.FastExpiry = false }, false},
		"another bucket": {func(f *ir.File, _ *ir.Definition) {
			f.Definitions = append(f.Definitions, dynamic("b", event("aaa", ir.Gte, 9, 0)))
		}, false},
		"another property": {func(f *ir.File, _ *ir.Definition) {
			f.Properties = append(f.Properties, ir.Property{Name: "aaa", Type: ir.Bool})
		}, false},

		"kind":            {func(_ *ir.File, d *ir.Definition) { d.Kind, d.Criteria = ir.Manual, nil }, true},
		"disabled":        {func(_ *ir.File, d *ir.Definition) { d.Disabled = true }, true},
		"entry limit":     {func(_ *ir.File, d *ir.Definition) { d.EntryLimit = ir.Once }, true},
		"entry period":    {func(_ *ir.File, d *ir.Definition) { d.EntryPeriod++ }, true},
		"min dwell":       {func(_ *ir.File, d *ir.Definition) { d.MinDwell++ }, true},
		"max dwell":       {func(_ *ir.File, d *ir.Definition) { d.MaxDwell++ }, true},
		"tick":            {func(_ *ir.File, d *ir.Definition) { d.Ticks[0].Every = true }, true},
		"no tick":         {func(_ *ir.File, d *ir.Definition) { d.Ticks = nil }, true},
		"reconcile joins": {func(_ *ir.File, d *ir.Definition) { d.ReconcileJoins = nil }, true},
		"combination":     {func(_ *ir.File, d *ir.Definition) { d.Criteria.Op = ir.OpAny }, true},
		"nesting": {func(_ *ir.File, d *ir.Definition) {
			d.Criteria.Children = append(d.Criteria.Children, d.Criteria.Children[1].Children[1])
			d.Criteria.Children[1].Children = d.Criteria.Children[1].Children[:1]
		}, true},
		"operand":        {func(_ *ir.File, d *ir.Definition) { d.Criteria.Children[0] = is("plan", "free") }, true},
		"property":       {func(_ *ir.File, d *ir.Definition) { d.Criteria.Children[0] = is("tier", "pro") }, true},
		"property type":  {func(f *ir.File, _ *ir.Definition) { f.Properties[0].Type = ir.Time }, true},
		"path":           {func(_ *ir.File, d *ir.Definition) { d.Criteria.Children[0].Property.Path = []string{"name"} }, true},
		"source":         {func(f *ir.File, _ *ir.Definition) { f.Properties[0].TraitsOnly = true }, true},
		"letter case":    {func(_ *ir.File, d *ir.Definition) { d.Criteria.Children[0].Property.Fold = true }, true},
		"event":          {func(f *ir.File, _ *ir.Definition) { leaf(f, 0).Event.Name = "visits" }, true},
		"count":          {func(f *ir.File, _ *ir.Definition) { leaf(f, 0).Event.Count++ }, true},
		"count operator": {func(f *ir.File, _ *ir.Definition) { leaf(f, 1).Event.Operator = ir.Lte }, true},
		"window":         {func(f *ir.File, _ *ir.Definition) { leaf(f, 0).Event.Window.Last++ }, true},
		"no window":      {func(f *ir.File, _ *ir.Definition) { leaf(f, 0).Event.Window = nil }, true},
	}
	before, _ := fingerprints(definition())
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := definition()
			tt.change(f, &f.Definitions[0])
			if after, _ := fingerprints(f); (after != before) != tt.want {
				t.Errorf("the fingerprint changes: %t, want %t", after != before, tt.want)
			}
		})
	}
}

// TestOperandFingerprint checks that each operand of a condition on a property changes the
// fingerprint.
func TestOperandFingerprint(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for name, n := range map[string]*ir.Node{
		"one":        choice("plan", "a"),
		"another":    choice("plan", "b"),
		"both":       choice("plan", "a", "b"),
		"one text":   choice("plan", "a b"),
		"any case":   {Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: "plan", Type: ir.Text, Operator: ir.In, Fold: true, Values: choice("plan", "a").Property.Values}},
		"has been":   history(ir.HasBeen, "a", ""),
		"changed":    history(ir.Changed, "", ""),
		"changed to": history(ir.Changed, "", "a"),
		"UTC":        {Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: "plan", Type: ir.Time, Operator: ir.Today, Zone: "UTC"}},
		"Berlin":     {Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: "plan", Type: ir.Time, Operator: ir.Today, Zone: "Europe/Berlin"}},
		"Mondays":    {Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: "plan", Type: ir.Time, Operator: ir.ThisWeek, Zone: "UTC"}},
		"one of two": {Op: ir.OpAtLeastOf, Count: 1, Children: []*ir.Node{is("plan", "a"), is("plan", "b")}},
		"two of two": {Op: ir.OpAtLeastOf, Count: 2, Children: []*ir.Node{is("plan", "a"), is("plan", "b")}},
		"short":      {Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: "plan", Type: ir.List, Operator: ir.LengthAtMost, Count: 1}},
		"ago":        ago(3*week, week),
		"longer ago": ago(3*week, 2*week),
		"since":      ago(4*week, 2*week),
		"sample":     sample(),
		"more":       {Op: ir.OpSample, Sample: &ir.SampleCheck{Percent: 2, Salt: "a"}},
		"others":     {Op: ir.OpSample, Sample: &ir.SampleCheck{Percent: 1, Salt: "b"}},
		"first":      single(ir.First, "plan"),
		"last":       single(ir.Last, "plan"),
		"first tier": single(ir.First, "tier"),
		"in b":       member("b"),
		"in c":       member("c"),
		"then":       sequence(func(*ir.SequenceCheck) {}),
		"sooner":     sequence(func(s *ir.SequenceCheck) { s.Within-- }),
		"each":       sequence(func(s *ir.SequenceCheck) { s.Within, s.Steps[1].Within = 0, s.Within }),
		"lately":     sequence(func(s *ir.SequenceCheck) { s.Window = &ir.Window{Last: week} }),
		"then not":   sequence(func(s *ir.SequenceCheck) { s.Unless, s.Within, s.Steps[1].Within = true, 0, s.Within }),
		"backwards":  sequence(func(s *ir.SequenceCheck) { s.Steps[0], s.Steps[1] = s.Steps[1], s.Steps[0] }),
		"some":       sequence(func(s *ir.SequenceCheck) { s.Steps[1].Filter = fieldOf("buy", "a") }),
		"keyed": sequence(func(s *ir.SequenceCheck) {
			s.Steps[0].Key = &ir.PropertyCheck{Name: "id", Type: ir.Text, Event: "visit"}
			s.Steps[1].Key = &ir.PropertyCheck{Name: "id", Type: ir.Text, Event: "buy"}
		}),
		"longer": {Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: "plan", Type: ir.List, Operator: ir.LengthAtMost, Count: 2}},
	} {
		got, _ := fingerprints(&ir.File{Definitions: []ir.Definition{dynamic("a", n), {ID: "b", Kind: ir.Manual}, {ID: "c", Kind: ir.Manual}}})
		if seen[got] != "" {
			t.Errorf("%s and %s have one fingerprint", name, seen[got])
		}
		seen[got] = name
	}
	before := history(ir.Changed, "", "")
	before.Property.From = history(ir.Changed, "", "a").Property.To
	if from, _ := fingerprints(&ir.File{Definitions: []ir.Definition{dynamic("a", before)}}); seen[from] != "" {
		t.Errorf("from and %s have one fingerprint", seen[from])
	}
}

func member(id string) *ir.Node { return &ir.Node{Op: ir.OpMember, Bucket: id} }

// sequence is a visit and then a purchase, changed by the caller.
func sequence(change func(*ir.SequenceCheck)) *ir.Node {
	s := &ir.SequenceCheck{Steps: []ir.SequenceStep{{Event: "visit"}, {Event: "buy"}}, Within: time.Hour}
	change(s)
	return &ir.Node{Op: ir.OpSequence, Sequence: s}
}

func fieldOf(event, value string) *ir.Node {
	n := choice("plan", value)
	n.Property.Event = event
	return n
}

func ago(last, until time.Duration) *ir.Node {
	return &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: "visit", Operator: ir.Gte, Count: 1, Window: &ir.Window{Last: last, Until: until, Ago: true}}}
}

func single(a ir.Aggregate, field string) *ir.Node {
	p := choice(field, "a").Property
	p.Event = "visit"
	return &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: "visit", Aggregate: a, Field: p}}
}

// TestDisguise checks that equivalent conditions have one fingerprint.
func TestDisguise(t *testing.T) {
	t.Parallel()
	pairs := map[string][2]*ir.Node{
		"more than 2 and at least 3": {event("e", ir.Gt, 2, 0), event("e", ir.Gte, 3, 0)},
		"less than 3 and at most 2":  {event("e", ir.Lt, 3, week), event("e", ir.Lte, 2, week)},
		"is not and not is":          {compare("p", ir.Text, ir.Neq, is("p", "a").Property.Value), not(is("p", "a"))},
	}
	for name, pair := range pairs {
		a, _ := fingerprints(&ir.File{Definitions: []ir.Definition{dynamic("a", pair[0])}})
		b, _ := fingerprints(&ir.File{Definitions: []ir.Definition{dynamic("a", pair[1])}})
		if a != b {
			t.Errorf("%s: the fingerprints are %s and %s", name, a, b)
		}
	}
}

// TestGeneration checks the fingerprint of a registry: it changes with that of any bucket, and not
// otherwise.
func TestGeneration(t *testing.T) {
	t.Parallel()
	visit, buy := event("visit", ir.Gte, 1, 0), event("buy", ir.Gte, 1, 0)
	of := func(f *ir.File) string { _, all := fingerprints(f); return all }
	file := func(defs ...ir.Definition) *ir.File { return &ir.File{Definitions: defs} }

	before := of(file(dynamic("a", visit), dynamic("b", buy)))
	same := dynamic("b", buy)
	same.Name = "Another name"
	if got := of(file(same, dynamic("a", visit))); got != before {
		t.Errorf("order and names change the generation from %s to %s", before, got)
	}
	others := map[string]*ir.File{
		"a bucket less":     file(dynamic("a", visit)),
		"another id":        file(dynamic("a", visit), dynamic("c", buy)),
		"swapped criteria":  file(dynamic("a", buy), dynamic("b", visit)),
		"a property more":   {Properties: []ir.Property{{Name: "plan", Type: ir.Text}}, Definitions: []ir.Definition{dynamic("a", visit), dynamic("b", buy)}},
		"a disabled bucket": file(dynamic("a", visit), ir.Definition{ID: "b", Kind: ir.Dynamic, Disabled: true, Criteria: buy}),
	}
	for name, f := range others {
		if got := of(f); got == before {
			t.Errorf("%s does not change the generation", name)
		}
	}
}
