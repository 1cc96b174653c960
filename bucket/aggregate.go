package bucket

import (
	"fmt"
	"math"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Field is a field of an event's payload: a [TextField], [NumberField], [BoolField], [TimeField] or
// [ListField].
type Field interface {
	field() reference
}

func (f TextField) field() reference   { return f.of }
func (f NumberField) field() reference { return f.of }
func (f BoolField) field() reference   { return f.of }
func (f TimeField) field() reference   { return f.of }
func (f ListField) field() reference   { return f.of }

// Sum is the exact sum of the field over the occurrences: 0.1 and 0.2 make 0.3. Occurrences without
// a number in the field add nothing, and the sum of none is 0.
func (o Occurrences) Sum(f NumberField) Quantity { return o.quantity(ir.Sum, f) }

// Avg is the average of the field over the occurrences with a number in it. Without such an
// occurrence there is no average, and no comparison holds.
func (o Occurrences) Avg(f NumberField) Quantity { return o.quantity(ir.Avg, f) }

// Min is the smallest number in the field. Without a number no comparison holds.
func (o Occurrences) Min(f NumberField) Quantity { return o.quantity(ir.Min, f) }

// Max is the greatest number in the field. Without a number no comparison holds.
func (o Occurrences) Max(f NumberField) Quantity { return o.quantity(ir.Max, f) }

func (o Occurrences) quantity(a ir.Aggregate, f Field) Quantity {
	o.check.Aggregate, o.check.Field = a, f.field().check()
	return Quantity{o}
}

// Distinct is the number of different values of the field among the occurrences. A number and the
// text that spells it are different. Occurrences without a value do not count, nor do those with a
// list or an object.
func (o Occurrences) Distinct(f Field) Tally {
	o.check.Aggregate, o.check.Field = ir.Distinct, f.field().check()
	return Tally{o}
}

// DistinctDays is the number of days, in a time zone, on which the event occurred.
func (o Occurrences) DistinctDays(zone string) Tally {
	o.check.Aggregate, o.check.Zone = ir.DistinctDays, zone
	return Tally{o}
}

func (r reference) check() *ir.PropertyCheck {
	return &ir.PropertyCheck{Name: r.name, Path: r.path, Event: r.event, Type: r.typ}
}

// Quantity is a number computed from occurrences. It is not a criteria yet: compare it.
//
// It is checked when the event arrives and, within a window, when an occurrence that leaves the
// window changes the answer.
type Quantity struct{ of Occurrences }

// AtLeast holds while the quantity is v or more.
func (q Quantity) AtLeast(v float64) Criteria { return q.compare(ir.Gte, v) }

// MoreThan holds while the quantity is more than v.
func (q Quantity) MoreThan(v float64) Criteria { return q.compare(ir.Gt, v) }

// AtMost holds while the quantity is v or less.
func (q Quantity) AtMost(v float64) Criteria { return q.compare(ir.Lte, v) }

// LessThan holds while the quantity is less than v.
func (q Quantity) LessThan(v float64) Criteria { return q.compare(ir.Lt, v) }

// Is holds while the quantity is v.
func (q Quantity) Is(v float64) Criteria { return q.compare(ir.Eq, v) }

func (q Quantity) compare(op ir.Operator, v float64) Criteria {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		q.of, v = q.of.problem(fmt.Sprintf("the operand is %v; write a finite number", v)), 0 // JSON has no such numbers
	}
	q.of.check.Operator, q.of.check.Number = op, &v
	return q.of.criteria(callerOf(2))
}

// Tally is a number of different values among occurrences. It is not a criteria yet: compare it.
//
// It is checked when the event arrives and, within a window, when the newest occurrence of one of
// the values leaves the window.
type Tally struct{ of Occurrences }

// AtLeast holds while there are n different values or more.
func (t Tally) AtLeast(n int) Criteria { return t.of.count(ir.Gte, n) }

// MoreThan holds while there are more than n different values.
func (t Tally) MoreThan(n int) Criteria { return t.of.count(ir.Gt, n) }

// AtMost holds while there are n different values or fewer.
func (t Tally) AtMost(n int) Criteria { return t.of.count(ir.Lte, n) }

// LessThan holds while there are fewer than n different values.
func (t Tally) LessThan(n int) Criteria { return t.of.count(ir.Lt, n) }

// Exactly holds while there are n different values.
func (t Tally) Exactly(n int) Criteria { return t.of.count(ir.Eq, n) }
