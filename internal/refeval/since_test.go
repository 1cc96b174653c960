package refeval_test

import (
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
)

// TestAnchors checks from when the ticks of a backfilled stay count, by the first that comes: the
// deploy is after ten and a half hours, and a tick is due each full hour since then.
func TestAnchors(t *testing.T) {
	t.Parallel()
	not := func(n *ir.Node) *ir.Node { return tree(ir.OpNot, n) }
	atMost := func(event string, h int) *ir.Node {
		return &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: event, Operator: ir.Lte, Window: &ir.Window{Last: time.Duration(h) * time.Hour}}}
	}
	greatest := func(v float64) *ir.Node {
		return &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{
			Name: "n", Operator: ir.Gte, Aggregate: ir.Max, Number: &v, Field: &ir.PropertyCheck{Event: "n", Name: "n", Type: ir.Number},
		}}
	}
	changed := func(n *ir.Node, change func(*ir.EventCheck)) *ir.Node {
		copied := *n.Event
		change(&copied)
		return &ir.Node{Op: ir.OpEvent, Event: &copied}
	}
	unknown, never := not(occurs(1, ir.Gte, 9)), has("never")
	from := hours(2)
	for name, test := range map[string]struct {
		criteria *ir.Node
		since    float64 // 10.5 if that is not known
	}{
		"ever":                    {has("a"), 1},
		"more than never":         {changed(has("a"), func(e *ir.EventCheck) { e.Operator, e.Count = ir.Gt, 0 }), 1},
		"not at most never":       {not(changed(has("a"), func(e *ir.EventCheck) { e.Operator, e.Count = ir.Lte, 0 })), 1},
		"not exactly never":       {not(changed(has("a"), func(e *ir.EventCheck) { e.Operator, e.Count = ir.Eq, 0 })), 1},
		"twice":                   {changed(has("a"), func(e *ir.EventCheck) { e.Count = 2 }), 10.5},
		"late, and occurred then": {has("late"), 4},
		"since a day":             {changed(has("a"), func(e *ir.EventCheck) { e.Window = &ir.Window{From: &from} }), 3},
		"a number":                {greatest(5), 6},
		"a smaller number":        {greatest(2), 5},
		"different values":        {changed(greatest(1), func(e *ir.EventCheck) { e.Aggregate, e.Number, e.Count = ir.Distinct, nil, 1 }), 10.5},
		"within a window":         {tree(ir.OpAll, changed(has("a"), func(e *ir.EventCheck) { e.Window = &ir.Window{Last: 24 * time.Hour} })), 10.5},
		"silent":                  {atMost("a", 5), 8},
		"not lately":              {not(changed(has("a"), func(e *ir.EventCheck) { e.Window = &ir.Window{Last: 5 * time.Hour} })), 8},
		"silent for ever":         {atMost("never", 5), 10.5},
		"silent, ago":             {changed(atMost("a", 6), func(e *ir.EventCheck) { e.Window.Until, e.Window.Ago = 2*time.Hour, true }), 10.5},
		"all":                     {tree(ir.OpAll, has("a"), has("late"), atMost("a", 5)), 8},
		"all, one unknown":        {tree(ir.OpAll, has("a"), unknown), 10.5},
		"any":                     {tree(ir.OpAny, has("late"), has("a"), never), 1},
		"any, one unknown":        {tree(ir.OpAny, has("a"), unknown), 10.5},
		"any, one of them false":  {tree(ir.OpAny, not(unknown), has("a")), 1},
		"not any":                 {not(tree(ir.OpAny, not(has("late")), not(has("a")))), 4},
		"not all":                 {tree(ir.OpAll, has("a"), not(tree(ir.OpAll, not(has("late")), not(has("n"))))), 4},
		"a property":              {property(ir.Text, ir.Eq, `"pro"`, 0), 10.5},
		"one of two":              {&ir.Node{Op: ir.OpAtLeastOf, Count: 1, Children: []*ir.Node{has("a"), has("late")}}, 10.5},
		"when it happened":        {has("now"), 10.5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			numbered := func(h float64, n string) refeval.Action {
				return refeval.Action{At: hours(h), Op: refeval.Ingest, User: "u", Name: "n", Properties: []byte(`{"n":` + n + `}`)}
			}
			h := refeval.Run(defined(), []refeval.Action{
				traits(0, `{"p":"pro"}`), event(1, "a"), event(3, "a"), numbered(5, "3"), numbered(6, "7"),
				{At: hours(7), Op: refeval.Ingest, User: "u", Name: "late", OccurredAt: hours(4)},
				event(10.5, "now"),
				deploy(10.5, refeval.Leaves, ir.Definition{Criteria: test.criteria, Ticks: []ir.Tick{{Every: true, Span: time.Hour}}}),
			}, hours(11.6))
			if len(h.Transitions) != 2 {
				t.Fatalf("got %v, want a join and a tick", h.Transitions)
			}
			if tick := h.Transitions[1]; !tick.At.Add(-time.Duration(tick.DwellCount) * time.Hour).Equal(hours(test.since)) {
				t.Errorf("got %s, want a tick counted from %s", tick, hours(test.since))
			}
		})
	}
}
