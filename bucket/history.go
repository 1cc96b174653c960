package bucket

import (
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Every declared property has a history of one change: the previous value, and the instant at which
// it was replaced. Setting a property to its present value changes nothing. Its first value is a
// change from a missing one, and its removal is a change to a missing one. A value that was set
// before the property was declared counts as having been there for ever.
//
// Only whole properties have a history: HasBeen and Changed do not combine with At.

// HasBeen holds while the property is the text v and has been for at least d. Checked when the
// property is set, and d after it became v. d must be positive.
func (p TextProperty) HasBeen(v string, d time.Duration) Criteria {
	return condition[Criteria](p.of, ir.PropertyCheck{Operator: ir.HasBeen, Value: textValue(v), Span: d})
}

// HasBeen holds while the property is the number v and has been for at least d. Checked when the
// property is set, and d after it became v. d must be positive.
func (p NumberProperty) HasBeen(v float64, d time.Duration) Criteria {
	return condition[Criteria](p.of, ir.PropertyCheck{Operator: ir.HasBeen, Value: numberValue(v), Span: d})
}

// HasBeen holds while the property is v and has been for at least d. Checked when the property is
// set, and d after it became v. d must be positive.
func (p BoolProperty) HasBeen(v bool, d time.Duration) Criteria {
	return condition[Criteria](p.of, ir.PropertyCheck{Operator: ir.HasBeen, Value: boolValue(v), Span: d})
}

// Changed asks about the last change of the property. It is not a condition yet: add Within.
func (p TextProperty) Changed() Change[string] { return Change[string]{of: p.of, value: textValue} }

// Changed asks about the last change of the property. It is not a condition yet: add Within.
func (p NumberProperty) Changed() Change[float64] {
	return Change[float64]{of: p.of, value: numberValue}
}

// Changed asks about the last change of the property. It is not a condition yet: add Within.
func (p BoolProperty) Changed() Change[bool] { return Change[bool]{of: p.of, value: boolValue} }

// Change is the last change of a property, between any two values unless From or To narrow it.
// Changed makes one: Plan.Changed().From("free").To("pro").Within(bucket.Day).
type Change[T string | float64 | bool] struct {
	of       reference
	value    func(T) *ir.Value
	from, to *ir.Value
}

// From narrows the question to a change from the value v. A change from a missing value is not one
// from v.
func (c Change[T]) From(v T) Change[T] {
	if c.value != nil {
		c.from = c.value(v)
	}
	return c
}

// To narrows the question to a change to the value v, which the property then still has.
func (c Change[T]) To(v T) Change[T] {
	if c.value != nil {
		c.to = c.value(v)
	}
	return c
}

// Within holds while the last change of the property matches and happened in (now-d, now]. Checked
// when the property is set, and d after it changed. d must be positive.
func (c Change[T]) Within(d time.Duration) Criteria {
	return condition[Criteria](c.of, ir.PropertyCheck{Operator: ir.Changed, From: c.from, To: c.to, Span: d})
}
