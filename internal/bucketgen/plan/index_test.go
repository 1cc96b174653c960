package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry/table"
)

// guarded is the postings of buckets that one value of one property opens.
func guarded(p table.PropertyIndex, v string, buckets ...table.BucketIndex) table.Postings {
	return table.Postings{Guarded: []table.Guarded{{Property: p, Values: []table.Posting{{Value: text(v), Buckets: buckets}}}}}
}

// guardedByMany is the postings of the first bucket, which several values of a property open.
func guardedByMany(p table.PropertyIndex, values ...string) table.Postings {
	g := table.Guarded{Property: p}
	for _, v := range values {
		g.Values = append(g.Values, table.Posting{Value: text(v), Buckets: []table.BucketIndex{0}})
	}
	return table.Postings{Guarded: []table.Guarded{g}}
}

func choice(name string, values ...string) *ir.Node { return compareAll(name, ir.In, values...) }

func compareAll(name string, op ir.Operator, values ...string) *ir.Node {
	n := compare(name, ir.Text, op, nil)
	for _, v := range values {
		n.Property.Values = append(n.Property.Values, &ir.Value{Text: &v})
	}
	return n
}

// history is a condition on the last change of the plan.
func history(op ir.Operator, is, to string) *ir.Node {
	n := compare("plan", ir.Text, op, nil)
	n.Property.Span = week
	if is != "" {
		n.Property.Value = &ir.Value{Text: &is}
	}
	if to != "" {
		n.Property.To = &ir.Value{Text: &to}
	}
	return n
}

func always(buckets ...table.BucketIndex) table.Postings { return table.Postings{Always: buckets} }

// TestGuards checks which equality a single bucket is filed under, if any.
func TestGuards(t *testing.T) {
	t.Parallel()
	visit := event("visit", ir.Gte, 1, 0)
	tests := map[string]struct {
		criteria *ir.Node
		want     table.Postings // of the event visit; plan is the only property, or the second after city
	}{
		"none":                {visit, always(0)},
		"equality":            {all(is("plan", "pro"), visit), guarded(0, "pro", 0)},
		"inner equality":      {all(visit, all(visit, is("plan", "pro"))), guarded(0, "pro", 0)},
		"first of equals":     {all(visit, is("plan", "pro"), is("city", "Oslo")), guarded(1, "pro", 0)},
		"alternative":         {all(visit, some(is("plan", "pro"), is("city", "Oslo"))), always(0)},
		"lonely alternative":  {all(visit, some(is("plan", "pro"))), always(0)},
		"negated":             {all(visit, not(is("plan", "pro"))), always(0)},
		"other comparison":    {all(visit, compare("plan", ir.Text, ir.Contains, is("plan", "p").Property.Value)), always(0)},
		"choice":              {all(visit, choice("plan", "pro")), guarded(0, "pro", 0)},
		"choice of several":   {all(visit, choice("plan", "pro", "free")), guardedByMany(0, "free", "pro")},
		"choice of too many":  {all(visit, choice("plan", strings.Split("abcdefghi", "")...)), always(0)},
		"choice, negated":     {all(visit, compareAll("plan", ir.NotIn, "pro")), always(0)},
		"choice or equality":  {all(visit, choice("city", "Oslo", "Bergen"), is("plan", "pro")), guarded(1, "pro", 0)},
		"has been":            {all(visit, history(ir.HasBeen, "pro", "")), guarded(0, "pro", 0)},
		"changed to":          {all(visit, history(ir.Changed, "", "pro")), guarded(0, "pro", 0)},
		"changed":             {all(visit, history(ir.Changed, "", "")), always(0)},
		"at a path":           {all(visit, &ir.Node{Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: "plan", Path: []string{"name"}, Type: ir.Text, Operator: ir.Eq, Value: is("plan", "pro").Property.Value}}), guarded(1, "pro", 0)},
		"list, equal to none": {all(visit, compare("plan", ir.Any, ir.Eq, &ir.Value{Composite: true})), always(0)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := build(dynamic("a", tt.criteria)).Registry.ByEvent[0]
			if d := cmp.Diff(tt.want, got, sameValue); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// TestPostings checks that every bucket is filed under all that it refers to, by the guard that the
// fewest others have, and that everything is sorted.
func TestPostings(t *testing.T) {
	t.Parallel()
	visit, buy := event("visit", ir.Gte, 1, 0), event("buy", ir.Gte, 1, week)
	r := build(
		dynamic("d", all(is("plan", "pro"), is("city", "Oslo"), visit)), // Oslo is rarer than pro
		dynamic("c", all(is("plan", "pro"), visit, visit)),
		dynamic("b", all(is("plan", "free"), visit, buy)),
		dynamic("a", some(is("plan", "pro"), visit)),
		ir.Definition{ID: "e", Kind: ir.Manual},
		dynamic("f", all(is("plan", "pro"), not(is("city", "Oslo")))),
	).Registry

	const city, plan table.PropertyIndex = 0, 1
	oslo := guarded(city, "Oslo", 3).Guarded[0]
	free, pro := table.Posting{Value: text("free"), Buckets: []table.BucketIndex{1}}, table.Posting{Value: text("pro"), Buckets: []table.BucketIndex{2}}
	proOrF := table.Posting{Value: text("pro"), Buckets: []table.BucketIndex{2, 5}}
	wantEvents := []table.Postings{
		guarded(plan, "free", 1), // buy
		{Always: []table.BucketIndex{0}, Guarded: []table.Guarded{oslo, {Property: plan, Values: []table.Posting{free, pro}}}},
	}
	wantProperties := []table.Postings{
		{Guarded: []table.Guarded{oslo, guarded(plan, "pro", 5).Guarded[0]}},
		{Always: []table.BucketIndex{0}, Guarded: []table.Guarded{oslo, {Property: plan, Values: []table.Posting{free, proOrF}}}},
	}
	if d := cmp.Diff(wantEvents, r.ByEvent, sameValue); d != "" {
		t.Errorf("by event: -want +got:\n%s", d)
	}
	if d := cmp.Diff(wantProperties, r.ByProperty, sameValue); d != "" {
		t.Errorf("by property: -want +got:\n%s", d)
	}
}
