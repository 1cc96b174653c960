package bucket

import (
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// A property is compared strictly: the operators of a type are true only for stored values of that type, so a number
// never equals the text that spells it. A property that is missing, or was set to null, does not exist; IsNot holds
// for it, every other comparison does not.
//
// The name of a property is literal: a dot in it is a dot.

// TextProperty is a property whose values are texts. [Text] declares one.
type TextProperty struct{ name string }

// Text declares a property whose values are texts.
func Text(name string) TextProperty { return TextProperty{name} }

// Name returns the name of the property.
func (p TextProperty) Name() string { return p.name }

// Is holds while the property is the text v. Checked when the property is set.
func (p TextProperty) Is(v string) Criteria {
	return property(p.name, ir.Text, ir.Eq, &ir.Value{Text: &v}, 0)
}

// IsNot holds while the property is anything but the text v: another text, another type, or missing. Checked when the
// property is set.
func (p TextProperty) IsNot(v string) Criteria {
	return property(p.name, ir.Text, ir.Neq, &ir.Value{Text: &v}, 0)
}

// Contains holds while the property is a text that contains v, in the same letter case. Checked when the property is
// set.
func (p TextProperty) Contains(v string) Criteria {
	return property(p.name, ir.Text, ir.Contains, &ir.Value{Text: &v}, 0)
}

// Exists holds while the property has a value of any type. Checked when the property is set.
func (p TextProperty) Exists() Criteria { return property(p.name, ir.Text, ir.Exists, nil, 0) }

// NotExists holds while the property has no value. Checked when the property is set.
func (p TextProperty) NotExists() Criteria { return property(p.name, ir.Text, ir.NotExists, nil, 0) }

// NumberProperty is a property whose values are numbers. [Number] declares one.
type NumberProperty struct{ name string }

// Number declares a property whose values are numbers. Numbers are float64: beyond 2^53 neighbouring integers are
// equal.
func Number(name string) NumberProperty { return NumberProperty{name} }

// Name returns the name of the property.
func (p NumberProperty) Name() string { return p.name }

// Is holds while the property is the number v. Checked when the property is set.
func (p NumberProperty) Is(v float64) Criteria { return number(p.name, ir.Eq, v) }

// IsNot holds while the property is anything but the number v: another number, another type, or missing. Checked when
// the property is set.
func (p NumberProperty) IsNot(v float64) Criteria { return number(p.name, ir.Neq, v) }

// MoreThan holds while the property is a number greater than v. Checked when the property is set.
func (p NumberProperty) MoreThan(v float64) Criteria { return number(p.name, ir.Gt, v) }

// AtLeast holds while the property is a number not less than v. Checked when the property is set.
func (p NumberProperty) AtLeast(v float64) Criteria { return number(p.name, ir.Gte, v) }

// LessThan holds while the property is a number less than v. Checked when the property is set.
func (p NumberProperty) LessThan(v float64) Criteria { return number(p.name, ir.Lt, v) }

// AtMost holds while the property is a number not greater than v. Checked when the property is set.
func (p NumberProperty) AtMost(v float64) Criteria { return number(p.name, ir.Lte, v) }

// Exists holds while the property has a value of any type. Checked when the property is set.
func (p NumberProperty) Exists() Criteria { return property(p.name, ir.Number, ir.Exists, nil, 0) }

// NotExists holds while the property has no value. Checked when the property is set.
func (p NumberProperty) NotExists() Criteria {
	return property(p.name, ir.Number, ir.NotExists, nil, 0)
}

// BoolProperty is a property whose values are true and false. [Bool] declares one.
type BoolProperty struct{ name string }

// Bool declares a property whose values are true and false.
func Bool(name string) BoolProperty { return BoolProperty{name} }

// Name returns the name of the property.
func (p BoolProperty) Name() string { return p.name }

// IsTrue holds while the property is true. Checked when the property is set.
func (p BoolProperty) IsTrue() Criteria { return boolean(p.name, true) }

// IsFalse holds while the property is false; a missing property is not false. Checked when the property is set.
func (p BoolProperty) IsFalse() Criteria { return boolean(p.name, false) }

// Exists holds while the property has a value of any type. Checked when the property is set.
func (p BoolProperty) Exists() Criteria { return property(p.name, ir.Bool, ir.Exists, nil, 0) }

// NotExists holds while the property has no value. Checked when the property is set.
func (p BoolProperty) NotExists() Criteria { return property(p.name, ir.Bool, ir.NotExists, nil, 0) }

// TimeProperty is a property whose values are instants, written as RFC 3339 texts like "2026-11-23T09:30:00Z". [Time]
// declares one. A text that is no such instant exists, and every other question about it is answered no.
type TimeProperty struct{ name string }

// Time declares a property whose values are instants, written as RFC 3339 texts.
func Time(name string) TimeProperty { return TimeProperty{name} }

// Name returns the name of the property.
func (p TimeProperty) Name() string { return p.name }

// Before holds while the property is an instant before t. Checked when the property is set.
func (p TimeProperty) Before(t time.Time) Criteria {
	return property(p.name, ir.Time, ir.Before, &ir.Value{Time: &t}, 0)
}

// After holds while the property is an instant after t. Checked when the property is set.
func (p TimeProperty) After(t time.Time) Criteria {
	return property(p.name, ir.Time, ir.After, &ir.Value{Time: &t}, 0)
}

// InTheLast holds while the property is an instant in (now-d, now]. Checked when the property is set, when the instant
// comes, and d after it.
func (p TimeProperty) InTheLast(d time.Duration) Criteria {
	return property(p.name, ir.Time, ir.InTheLast, nil, d)
}

// MoreThanAgo holds while the property is an instant at least d ago. Checked when the property is set and d after the
// instant.
func (p TimeProperty) MoreThanAgo(d time.Duration) Criteria {
	return property(p.name, ir.Time, ir.MoreThanAgo, nil, d)
}

// InTheNext holds while the property is an instant in (now, now+d]: at the instant itself it no longer holds. Checked
// when the property is set, d before the instant, and when it comes.
func (p TimeProperty) InTheNext(d time.Duration) Criteria {
	return property(p.name, ir.Time, ir.InTheNext, nil, d)
}

// Exists holds while the property has a value of any type. Checked when the property is set.
func (p TimeProperty) Exists() Criteria { return property(p.name, ir.Time, ir.Exists, nil, 0) }

// NotExists holds while the property has no value. Checked when the property is set.
func (p TimeProperty) NotExists() Criteria { return property(p.name, ir.Time, ir.NotExists, nil, 0) }

func number(name string, op ir.Operator, v float64) Criteria {
	node := propertyNode(name, ir.Number, op, &ir.Value{Number: &v}, 0, callerOf(2))
	if math.IsNaN(v) || math.IsInf(v, 0) {
		zero := 0.0 // JSON has no such numbers
		node.Property.Value.Number = &zero
		node.Problems = append(node.Problems, ir.Problem{Pos: node.Pos, Text: fmt.Sprintf("the operand is %v; write a finite number", v)})
	}
	return Criteria{node}
}

func boolean(name string, v bool) Criteria {
	return Criteria{propertyNode(name, ir.Bool, ir.Eq, &ir.Value{Bool: &v}, 0, callerOf(2))}
}

func property(name string, typ ir.Type, op ir.Operator, value *ir.Value, span time.Duration) Criteria {
	node := propertyNode(name, typ, op, value, span, callerOf(2))
	if value != nil && value.Text != nil && !utf8.ValidString(*value.Text) {
		node.Problems = append(node.Problems, ir.Problem{Pos: node.Pos, Text: fmt.Sprintf("the operand %q is not valid UTF-8, so no stored text equals or contains it", *value.Text)})
	}
	return Criteria{node}
}

func propertyNode(name string, typ ir.Type, op ir.Operator, value *ir.Value, span time.Duration, pos ir.Pos) *ir.Node {
	node := &ir.Node{
		Op:       ir.OpProperty,
		Pos:      pos,
		Property: &ir.PropertyCheck{Name: name, Type: typ, Operator: op, Value: value, Span: span},
	}
	if !utf8.ValidString(name) { // JSON would make it another name
		node.Problems = append(node.Problems, ir.Problem{Pos: pos, Text: fmt.Sprintf("the property name %q is not valid UTF-8, so no property has it", name)})
	}
	return node
}
