package bucket

import (
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// condition makes a condition on a value. The author must have called its caller.
func condition[C Condition](r reference, check ir.PropertyCheck) C {
	return C(Criteria{conditionNode(r, check, callerOf(2))})
}

func conditionNode(r reference, check ir.PropertyCheck, pos ir.Pos) *ir.Node {
	check.Name, check.Path, check.Event, check.Type, check.TraitsOnly = r.name, r.path, r.event, r.typ, r.traitsOnly
	n := &ir.Node{Op: ir.OpProperty, Pos: pos, Property: &check}
	problem := func(format string, args ...any) {
		n.Problems = append(n.Problems, ir.Problem{Pos: pos, Text: fmt.Sprintf(format, args...)})
	}
	if !utf8.ValidString(r.name) { // JSON would change the name
		problem("the property name %q is not valid UTF-8, so no property has it", r.name)
	}
	for _, key := range r.path {
		if !utf8.ValidString(key) {
			problem("the key %q is not valid UTF-8, so no object has it", key)
		}
	}
	for _, v := range append([]*ir.Value{check.Value, check.From, check.To}, check.Values...) {
		switch {
		case v == nil:
		case v.Text != nil && !utf8.ValidString(*v.Text):
			problem("the operand %q is not valid UTF-8, so no stored text equals or contains it", *v.Text)
		case v.Number != nil && (math.IsNaN(*v.Number) || math.IsInf(*v.Number, 0)):
			problem("the operand is %v; write a finite number", *v.Number)
			*v.Number = 0 // JSON has no such numbers
		}
	}
	if r.of == nil {
		return n
	}
	o := *r.of
	o.check.Field, o.problems = &check, slices.Clip(o.problems)
	single := o.criteria(pos).node
	single.Problems = append(single.Problems, n.Problems...)
	return single
}

func textValue(v string) *ir.Value { return &ir.Value{Text: &v} }

func numberValue(v float64) *ir.Value { return &ir.Value{Number: &v} }

func boolValue(v bool) *ir.Value { return &ir.Value{Bool: &v} }

func timeValue(v time.Time) *ir.Value { return &ir.Value{Time: &v} }

// values are the operands of an operator that takes several. They are copied: authors may keep
// their slice.
func values[T any](of []T, value func(T) *ir.Value) []*ir.Value {
	all := make([]*ir.Value, len(of))
	for i, v := range of {
		all[i] = value(v)
	}
	return all
}
