package bucket

import "github.com/bucketgen/bucketgen/internal/ir"

// ListOf has the conditions on a list of texts. A [ListProperty] makes them [Criteria], a
// [ListField] makes them a [Filter]. Only a JSON list is a list; a text is none, and neither is an
// object.
type ListOf[C Condition] struct{ of reference }

// Name returns the name of the property or field.
func (l ListOf[C]) Name() string { return l.of.name }

// Has holds while the value is a list that has the text v among its elements. Checked when the
// value is set.
func (l ListOf[C]) Has(v string) C {
	return condition[C](l.of, ir.PropertyCheck{Operator: ir.HasAny, Values: values([]string{v}, textValue)})
}

// HasAny holds while the value is a list that has at least one of the texts among its elements. It
// needs at least one, and each once. Checked when the value is set.
func (l ListOf[C]) HasAny(v ...string) C {
	return condition[C](l.of, ir.PropertyCheck{Operator: ir.HasAny, Values: values(v, textValue)})
}

// HasAll holds while the value is a list that has every one of the texts among its elements, and
// perhaps others. It needs at least one, and each once. Checked when the value is set.
func (l ListOf[C]) HasAll(v ...string) C {
	return condition[C](l.of, ir.PropertyCheck{Operator: ir.HasAll, Values: values(v, textValue)})
}

// Length is the number of elements of the list, of any type. It is not a condition yet: compare it.
func (l ListOf[C]) Length() LengthOf[C] { return LengthOf[C](l) }

// Exists holds while there is a value, of any type. Checked when the value is set.
func (l ListOf[C]) Exists() C { return condition[C](l.of, ir.PropertyCheck{Operator: ir.Exists}) }

// NotExists holds while there is no value. Checked when the value is set.
func (l ListOf[C]) NotExists() C {
	return condition[C](l.of, ir.PropertyCheck{Operator: ir.NotExists})
}

// LengthOf is the number of elements of a list. [ListOf.Length] makes one. A value that is not a
// list has no length: no comparison holds for it, not even AtMost.
type LengthOf[C Condition] struct{ of reference }

// Exactly holds while the list has n elements. Checked when the value is set.
func (l LengthOf[C]) Exactly(n int) C {
	return condition[C](l.of, ir.PropertyCheck{Operator: ir.LengthIs, Count: n})
}

// AtLeast holds while the list has n elements or more. Checked when the value is set.
func (l LengthOf[C]) AtLeast(n int) C {
	return condition[C](l.of, ir.PropertyCheck{Operator: ir.LengthAtLeast, Count: n})
}

// AtMost holds while the list has n elements or fewer. Checked when the value is set.
func (l LengthOf[C]) AtMost(n int) C {
	return condition[C](l.of, ir.PropertyCheck{Operator: ir.LengthAtMost, Count: n})
}
