package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry/table"
)

const week = 7 * 24 * time.Hour

func is(name, v string) *ir.Node {
	return &ir.Node{Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: name, Type: ir.Text, Operator: ir.Eq, Value: &ir.Value{Text: &v}}}
}

func compare(name string, typ ir.Type, op ir.Operator, v *ir.Value) *ir.Node {
	return &ir.Node{Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: name, Type: typ, Operator: op, Value: v}}
}

func event(name string, op ir.Operator, n int, window time.Duration) *ir.Node {
	node := &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: name, Operator: op, Count: n}}
	if window != 0 {
		node.Event.Window = &ir.Window{Last: window}
	}
	return node
}

func all(children ...*ir.Node) *ir.Node  { return &ir.Node{Op: ir.OpAll, Children: children} }
func some(children ...*ir.Node) *ir.Node { return &ir.Node{Op: ir.OpAny, Children: children} }
func not(child *ir.Node) *ir.Node        { return &ir.Node{Op: ir.OpNot, Children: []*ir.Node{child}} }

func dynamic(id string, criteria *ir.Node) ir.Definition {
	return ir.Definition{ID: id, Kind: ir.Dynamic, Criteria: criteria}
}

func build(defs ...ir.Definition) *plan.Plan {
	return plan.Build(&ir.File{Definitions: defs})
}

// sameValue compares values like Go's ==: their method Equal is a condition.
var sameValue = cmp.Comparer(func(a, b table.Value) bool { return a == b })

func text(s string) table.Value { return table.Value{Kind: table.Text, Text: s} }

func TestNodes(t *testing.T) {
	t.Parallel()
	five, late := 5.0, time.Date(2026, time.January, 1, 0, 0, 0, 999, time.UTC)
	tests := map[string]struct {
		criteria *ir.Node
		want     []table.Node
	}{
		"more than":     {event("e", ir.Gt, 2, week), []table.Node{{Op: table.OpAtLeast, Size: 1, Count: 3, Window: table.Within(week)}}},
		"less than":     {event("e", ir.Lt, 2, 0), []table.Node{{Op: table.OpAtMost, Size: 1, Count: 1}}},
		"exactly":       {event("e", ir.Eq, 2, 0), []table.Node{{Op: table.OpExactly, Size: 1, Count: 2}}},
		"is not":        {compare("p", ir.Text, ir.Neq, is("p", "a").Property.Value), []table.Node{{Op: table.OpNot, Size: 2}, {Op: table.OpIs, Size: 1, Value: text("a")}}},
		"not exists":    {compare("p", ir.Text, ir.NotExists, nil), []table.Node{{Op: table.OpNot, Size: 2}, {Op: table.OpExists, Size: 1}}},
		"at most":       {compare("p", ir.Number, ir.Lte, &ir.Value{Number: &five}), []table.Node{{Op: table.OpNotMore, Size: 1, Value: table.Value{Kind: table.Number, Number: 5}}}},
		"before":        {compare("p", ir.Time, ir.Before, &ir.Value{Time: &late}), []table.Node{{Op: table.OpBefore, Size: 1, Value: table.Value{Kind: table.Time, Time: table.At(late)}}}},
		"wrong operand": {compare("p", ir.Any, ir.Gt, is("p", "a").Property.Value), []table.Node{{Op: table.OpAll, Size: 3}, {Op: table.OpAny, Size: 1}, {Op: table.OpExists, Size: 1}}},
		"nested": {all(is("p", "a"), some(event("e", ir.Gte, 1, 0), not(is("p", "b")))), []table.Node{
			{Op: table.OpAll, Size: 6},
			{Op: table.OpIs, Size: 1, Value: text("a")},
			{Op: table.OpAny, Size: 4},
			{Op: table.OpAtLeast, Size: 1, Count: 1},
			{Op: table.OpNot, Size: 2},
			{Op: table.OpIs, Size: 1, Value: text("b")},
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := build(dynamic("a", tt.criteria)).Registry.Buckets[0].Criteria
			if d := cmp.Diff(tt.want, got, sameValue); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// TestNewest checks that the registry keeps as many occurrences of an event as the greediest
// condition needs.
func TestNewest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		criteria *ir.Node
		newest   int
		totals   bool
	}{
		"at least":  {event("e", ir.Gte, 5, week), 5, false},
		"more than": {event("e", ir.Gt, 5, week), 6, false},
		"at most":   {event("e", ir.Lte, 5, week), 6, false},
		"less than": {event("e", ir.Lt, 5, week), 5, false},
		"exactly":   {event("e", ir.Eq, 5, week), 6, false},
		"never":     {event("e", ir.Lte, 0, week), 1, false},
		"ever":      {event("e", ir.Gte, 5, 0), 0, true},
		"several":   {all(event("e", ir.Gte, 5, 0), event("e", ir.Lte, 6, week)), 7, true},
	}
	for name, tt := range tests {
		r := build(dynamic("a", tt.criteria)).Registry
		if got := r.Signals[0]; got.Newest != tt.newest || got.Totals != tt.totals {
			t.Errorf("%s: got newest %d, totals %t, want %d, %t", name, got.Newest, got.Totals, tt.newest, tt.totals)
		}
	}
}

func sample() *ir.Node {
	return &ir.Node{Op: ir.OpSample, Sample: &ir.SampleCheck{Percent: 1, Salt: "a"}}
}

func TestNewcomers(t *testing.T) {
	t.Parallel()
	exists := event("e", ir.Gte, 1, 0)
	r := build(
		dynamic("a-exists", exists),
		dynamic("b-absent", event("e", ir.Lte, 0, week)),
		dynamic("c-missing", not(is("p", "x"))),
		dynamic("d-either", some(exists, not(is("p", "x")))),
		dynamic("e-both", all(exists, not(is("p", "x")))),
		ir.Definition{ID: "f-manual", Kind: ir.Manual},
		dynamic("g-some", sample()),
		dynamic("h-others", not(sample())),
		dynamic("i-of-both", all(sample(), not(sample()))), // each leaf is taken by itself
		dynamic("j-some-and-exists", all(sample(), exists)),
		dynamic("k-two-of-three", &ir.Node{Op: ir.OpAtLeastOf, Count: 2, Children: []*ir.Node{not(not(sample())), exists, not(sample())}}),
	).Registry
	if d := cmp.Diff([]table.BucketIndex{1, 2, 3, 6, 7, 8, 10}, r.Newcomers); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestNaming(t *testing.T) {
	t.Parallel()
	p := plan.Build(&ir.File{
		Properties: []ir.Property{
			{GoName: "Plan", Name: "z-plan", Type: ir.Text, Doc: "Plan is declared.\n", Pos: ir.Pos{File: "a/vocab.go", Line: 1}},
			{GoName: "Unused", Name: "unused", Type: ir.Bool},
		},
		Definitions: []ir.Definition{
			{
				ID: "power-users", GoName: "Power", Doc: "Power users pay.\n", Kind: ir.Dynamic, Pos: ir.Pos{File: "a/b/power.go", Line: 7},
				Criteria: all(is("plan", "x"), is("z-plan", "x"), event("app.active", ir.Gte, 1, 0), event("app_active", ir.Gte, 1, 0)),
				Ticks:    []ir.Tick{{Span: week}, {Every: true, Span: time.Hour}},
			},
			{ID: "also", GoName: "A", Doc: "An apple a day.\n", Kind: ir.Manual},
		},
	})
	want := &plan.Plan{
		Buckets: []plan.Naming{
			{GoName: "Also", Doc: "An apple a day.\n"},
			{GoName: "PowerUsers", Doc: "PowerUsers users pay.\n", File: "power.go", Ticks: []string{"PowerUsersAfter7Days", "PowerUsersEvery1Hour"}},
		},
		Events:     []plan.Naming{{GoName: "AppActive"}, {GoName: "AppActive_"}},
		Properties: []plan.Naming{{GoName: "Plan_"}, {GoName: "Unused"}, {GoName: "Plan", Doc: "Plan is declared.\n", File: "vocab.go"}},
		Signals:    []plan.Naming{{GoName: "AppActive"}, {GoName: "AppActive_"}},
		EventTypes: []plan.EventType{typeOf("AppActiveEvent", "app.active"), typeOf("AppActiveEvent_", "app_active")},
		Functions:  true,
	}
	got := *p
	got.Registry = nil
	if d := cmp.Diff(want, &got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	rows := []table.Property{{Name: "plan", Type: table.Text}, {Name: "unused", Type: table.Bool}, {Name: "z-plan", Type: table.Text}}
	if d := cmp.Diff(rows, p.Registry.Properties); d != "" {
		t.Errorf("properties: -want +got:\n%s", d)
	}
}

// TestFunctions checks that functions are generated only up to a number that people may read.
func TestFunctions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		buckets int
		want    bool
	}{{500, true}, {501, false}} {
		defs := make([]ir.Definition, tt.buckets)
		for i := range defs {
			defs[i] = ir.Definition{ID: string(rune('a' + i)), Kind: ir.Manual}
		}
		if got := build(defs...).Functions; got != tt.want {
			t.Errorf("%d buckets: functions are %t, want %t", tt.buckets, got, tt.want)
		}
	}
}
