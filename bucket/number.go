package bucket

import "github.com/bucketgen/bucketgen/internal/ir"

// NumberOf has the conditions on a number. A [NumberProperty] makes them [Criteria], a
// [NumberField] makes them a [Filter].
type NumberOf[C Condition] struct{ of reference }

// Name returns the name of the property or field.
func (n NumberOf[C]) Name() string { return n.of.name }

// Is holds while the value is the number v. Checked when the value is set.
func (n NumberOf[C]) Is(v float64) C {
	return condition[C](n.of, ir.PropertyCheck{Operator: ir.Eq, Value: numberValue(v)})
}

// IsNot holds while the value is anything but the number v: another number, another type, or
// missing. Checked when the value is set.
func (n NumberOf[C]) IsNot(v float64) C {
	return condition[C](n.of, ir.PropertyCheck{Operator: ir.Neq, Value: numberValue(v)})
}

// In holds while the value is one of the numbers. It needs at least one, and each once. Checked
// when the value is set.
func (n NumberOf[C]) In(v ...float64) C {
	return condition[C](n.of, ir.PropertyCheck{Operator: ir.In, Values: values(v, numberValue)})
}

// NotIn holds while the value is none of the numbers: another number, another type, or missing. It
// needs at least one, and each once. Checked when the value is set.
func (n NumberOf[C]) NotIn(v ...float64) C {
	return condition[C](n.of, ir.PropertyCheck{Operator: ir.NotIn, Values: values(v, numberValue)})
}

// MoreThan holds while the value is a number greater than v. Checked when the value is set.
func (n NumberOf[C]) MoreThan(v float64) C {
	return condition[C](n.of, ir.PropertyCheck{Operator: ir.Gt, Value: numberValue(v)})
}

// AtLeast holds while the value is a number not less than v. Checked when the value is set.
func (n NumberOf[C]) AtLeast(v float64) C {
	return condition[C](n.of, ir.PropertyCheck{Operator: ir.Gte, Value: numberValue(v)})
}

// LessThan holds while the value is a number less than v. Checked when the value is set.
func (n NumberOf[C]) LessThan(v float64) C {
	return condition[C](n.of, ir.PropertyCheck{Operator: ir.Lt, Value: numberValue(v)})
}

// AtMost holds while the value is a number not greater than v. Checked when the value is set.
func (n NumberOf[C]) AtMost(v float64) C {
	return condition[C](n.of, ir.PropertyCheck{Operator: ir.Lte, Value: numberValue(v)})
}

// Between holds while the value is a number from least to most, both included. Checked when the
// value is set.
func (n NumberOf[C]) Between(least, most float64) C {
	return condition[C](n.of, ir.PropertyCheck{Operator: ir.Between, Values: values([]float64{least, most}, numberValue)})
}

// Exists holds while there is a value, of any type. Checked when the value is set.
func (n NumberOf[C]) Exists() C { return condition[C](n.of, ir.PropertyCheck{Operator: ir.Exists}) }

// NotExists holds while there is no value. Checked when the value is set.
func (n NumberOf[C]) NotExists() C {
	return condition[C](n.of, ir.PropertyCheck{Operator: ir.NotExists})
}
