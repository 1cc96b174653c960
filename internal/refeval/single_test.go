package refeval_test

import (
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
)

// TestSingle says by hand which occurrence is the first and which the last: by the instant and, of
// one instant, by arrival.
func TestSingle(t *testing.T) {
	t.Parallel()
	named := func(h float64, p any) refeval.Event {
		return refeval.Event{Name: "a", At: hours(h), Properties: map[string]any{"p": p}}
	}
	for _, test := range []struct {
		name        string
		events      []refeval.Event
		first, last string // none: missing
	}{
		{"none", nil, "", ""},
		{"one", []refeval.Event{named(1, "x")}, "x", "x"},
		{"two", []refeval.Event{named(1, "x"), named(2, "y")}, "x", "y"},
		{"late", []refeval.Event{named(2, "x"), named(1, "y"), named(1.5, "z")}, "y", "x"},
		{"together", []refeval.Event{named(1, "x"), named(1, "y")}, "x", "y"},
		{"without a value", []refeval.Event{named(1, nil), named(2, "y"), named(3, nil)}, "", ""},
		{"another event", []refeval.Event{{Name: "b", At: hours(0), Properties: map[string]any{"p": "b"}}, named(1, "x")}, "x", "x"},
	} {
		for aggregate, want := range map[ir.Aggregate]string{ir.First: test.first, ir.Last: test.last} {
			p := &ir.PropertyCheck{Event: "a", Name: "p", Type: ir.Text, Operator: ir.NotExists}
			if want != "" {
				p.Operator, p.Value = ir.Eq, operandOf(want)
			}
			n := &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: "a", Aggregate: aggregate, Field: p}}
			if !refeval.Holds(n, &refeval.Facts{Events: test.events}, hours(5)) {
				t.Errorf("%s: %s does not hold", test.name, refeval.DescribeNode(n))
			}
		}
	}
	due := &ir.PropertyCheck{Event: "a", Name: "p", Type: ir.Time, Operator: ir.InTheLast, Span: time.Hour}
	n := &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: "a", Aggregate: ir.Last, Field: due}}
	f := &refeval.Facts{Events: []refeval.Event{named(1, "2026-01-01T03:00:00Z")}}
	if holds, until := refeval.Holds(n, f, hours(2)), refeval.Until(n, f, hours(2)); holds || !until.Equal(hours(3)) {
		t.Errorf("what is relative to now: holds %t until %s, want false until 3:00", holds, until)
	}
}
