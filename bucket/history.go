package bucket

import (
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Of every declared property the value before the present one is kept, and the instant at which that gave way. Setting a
// property to the value that it has changes nothing; the first value that it gets is a change from a missing one, and
// removing it is a change to a missing one. A value that was set before the property was declared counts as having been
// there for ever.
//
// The history of a property is kept, not that of what lies inside of it: HasBeen and Changed do not go with At.

// HasBeen holds while the property is the text v and has been for at least d. Checked when the property is set, and d
// after it became v. d must be positive.
func (p TextProperty) HasBeen(v string, d time.Duration) Criteria {
	return condition[Criteria](p.of, ir.PropertyCheck{Operator: ir.HasBeen, Value: textValue(v), Span: d})
}

// HasBeen holds while the property is the number v and has been for at least d. Checked when the property is set, and d
// after it became v. d must be positive.
func (p NumberProperty) HasBeen(v float64, d time.Duration) Criteria {
	return condition[Criteria](p.of, ir.PropertyCheck{Operator: ir.HasBeen, Value: numberValue(v), Span: d})
}

// HasBeen holds while the property is v and has been for at least d. Checked when the property is set, and d after it
// became v. d must be positive.
func (p BoolProperty) HasBeen(v bool, d time.Duration) Criteria {
	return condition[Criteria](p.of, ir.PropertyCheck{Operator: ir.HasBeen, Value: boolValue(v), Span: d})
}

// Changed asks about the last change of the property. It is no condition yet: say within which time.
func (p TextProperty) Changed() Change[string] { return Change[string]{of: p.of, value: textValue} }

// Changed asks about the last change of the property. It is no condition yet: say within which time.
func (p NumberProperty) Changed() Change[float64] {
	return Change[float64]{of: p.of, value: numberValue}
}

// Changed asks about the last change of the property. It is no condition yet: say within which time.
func (p BoolProperty) Changed() Change[bool] { return Change[bool]{of: p.of, value: boolValue} }

// Change is the last change of a property, from whatever it was to whatever it is, unless From or To say more. Changed
// makes one: Plan.Changed().From("free").To("pro").Within(bucket.Day).
type Change[T string | float64 | bool] struct {
	of       reference
	value    func(T) *ir.Value
	from, to *ir.Value
}

// From narrows the question to a change from the value v. A change from a missing value is none from v.
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

// Within holds while the last change of the property was such a one and happened in (now-d, now]. Checked when the
// property is set, and d after it changed. d must be positive.
func (c Change[T]) Within(d time.Duration) Criteria {
	return condition[Criteria](c.of, ir.PropertyCheck{Operator: ir.Changed, From: c.from, To: c.to, Span: d})
}
