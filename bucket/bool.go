package bucket

import "github.com/bucketgen/bucketgen/internal/ir"

// BoolOf has the conditions on a truth value. A [BoolProperty] makes them [Criteria], a [BoolField]
// makes them a [Filter].
type BoolOf[C Condition] struct{ of reference }

// Name returns the name of the property or field.
func (b BoolOf[C]) Name() string { return b.of.name }

// IsTrue holds while the value is true. Checked when the value is set.
func (b BoolOf[C]) IsTrue() C {
	return condition[C](b.of, ir.PropertyCheck{Operator: ir.Eq, Value: boolValue(true)})
}

// IsFalse holds while the value is false; a missing value is not false. Checked when the value is
// set.
func (b BoolOf[C]) IsFalse() C {
	return condition[C](b.of, ir.PropertyCheck{Operator: ir.Eq, Value: boolValue(false)})
}

// Exists holds while there is a value, of any type. Checked when the value is set.
func (b BoolOf[C]) Exists() C { return condition[C](b.of, ir.PropertyCheck{Operator: ir.Exists}) }

// NotExists holds while there is no value. Checked when the value is set.
func (b BoolOf[C]) NotExists() C {
	return condition[C](b.of, ir.PropertyCheck{Operator: ir.NotExists})
}
