package plan_test

import (
	"math"
	"testing"

	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
)

// TestOneZero builds definitions that write zero with a sign and without: they have one meaning, so
// they are equal.
func TestOneZero(t *testing.T) {
	t.Parallel()
	build := func(zero float64) string {
		number := &ir.Value{Number: &zero}
		ask := func(p ir.PropertyCheck) *ir.Node {
			p.Name, p.Type = "seats", ir.Number
			return &ir.Node{Op: ir.OpProperty, Property: &p}
		}
		sum := &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{
			Name: "buy", Operator: ir.Gte, Aggregate: ir.Sum, Field: &ir.PropertyCheck{Name: "amount", Type: ir.Number}, Number: &zero,
		}}
		most := *sum.Event
		most.Aggregate = ir.Max
		return plan.Build(&ir.File{Definitions: []ir.Definition{dynamic("a", all(
			ask(ir.PropertyCheck{Operator: ir.Eq, Value: number}), ask(ir.PropertyCheck{Operator: ir.In, Values: []*ir.Value{number}}),
			ask(ir.PropertyCheck{Operator: ir.Changed, From: number, To: number, Span: week}), sum, &ir.Node{Op: ir.OpEvent, Event: &most},
		))}}).Registry.Fingerprint
	}
	if got, want := build(math.Copysign(0, -1)), build(0); got != want {
		t.Errorf("-0 makes %s of what 0 makes %s", got, want)
	}
}
