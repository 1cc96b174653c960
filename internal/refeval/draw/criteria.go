package draw

import (
	"time"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Hour is the unit of the grid.
const Hour = time.Hour

// Spans are the windows, dwells and periods of the grid, except for one that is as short as can be.
var spans = []time.Duration{Hour, 2 * Hour, 3 * Hour, 5 * Hour, time.Microsecond}

// events are those that criteria ask about.
var events = []string{"a", "b", "c"}

// property is a property of the vocabulary, with the operators that its type has.
type property struct {
	name      string
	typ       ir.Type
	operators []ir.Operator
}

var (
	equality   = []ir.Operator{ir.Eq, ir.Neq}
	order      = []ir.Operator{ir.Gt, ir.Gte, ir.Lt, ir.Lte}
	presence   = []ir.Operator{ir.Exists, ir.NotExists}
	ofTime     = []ir.Operator{ir.InTheLast, ir.MoreThanAgo, ir.InTheNext, ir.Before, ir.After}
	properties = []property{
		{"plan", ir.Text, join(equality, presence, []ir.Operator{ir.Contains})},
		{"seats", ir.Number, join(order, equality, presence)},
		{"active", ir.Bool, join([]ir.Operator{ir.Eq}, presence)},
		{"trial", ir.Time, join(ofTime, presence)},
		{"since", ir.Time, join(ofTime, presence)},
		{"p", ir.Any, join(equality, order, presence, []ir.Operator{ir.Contains})},
	}
	texts   = []string{"pro", "free", "5", "", "professional"}
	numbers = []float64{5, 1, 0, -3, 5.5}
)

func join(lists ...[]ir.Operator) []ir.Operator {
	var all []ir.Operator
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

// Criteria draws a tree of conditions, as deep as it may be.
func Criteria(t *rapid.T, depth int) *ir.Node {
	var op ir.Op
	if depth > 0 {
		op = one(t, "op", ir.OpEvent, ir.OpProperty, ir.OpAll, ir.OpAny, ir.OpNot, ir.OpAll)
	} else {
		op = one(t, "leaf", ir.OpEvent, ir.OpProperty)
	}
	n := &ir.Node{Op: op}
	switch op {
	case ir.OpEvent:
		n.Event = eventCheck(t)
	case ir.OpProperty:
		n.Property = propertyCheck(t)
	case ir.OpNot:
		n.Children = []*ir.Node{Criteria(t, depth-1)}
	default:
		for range upTo(t, "children", 1, 3) {
			n.Children = append(n.Children, Criteria(t, depth-1))
		}
	}
	return n
}

func eventCheck(t *rapid.T) *ir.EventCheck {
	e := &ir.EventCheck{
		Name:     one(t, "event", events...),
		Operator: one(t, "comparison", ir.Gte, ir.Lte, ir.Eq, ir.Gt, ir.Lt),
		Count:    one(t, "n", 1, 2, 0, 1, 3),
	}
	if chance(t, "window", 75) {
		e.Window = &ir.Window{Last: span(t)}
	}
	return e
}

func propertyCheck(t *rapid.T) *ir.PropertyCheck {
	p := one(t, "property", properties...)
	check := &ir.PropertyCheck{Name: p.name, Type: p.typ, Operator: one(t, "operator", p.operators...)}
	switch check.Operator {
	case ir.Exists, ir.NotExists:
	case ir.InTheLast, ir.MoreThanAgo, ir.InTheNext:
		check.Span = span(t)
	case ir.Before, ir.After:
		at := Start.Add(time.Duration(upTo(t, "hour", -3, 12)) * Hour)
		check.Value = &ir.Value{Time: &at}
	default:
		check.Value = operand(t, p.typ)
	}
	return check
}

func operand(t *rapid.T, typ ir.Type) *ir.Value {
	if typ == ir.Any {
		typ = one(t, "type", ir.Number, ir.Text, ir.Bool, ir.Any)
	}
	switch typ {
	case ir.Text:
		text := one(t, "text", texts...)
		return &ir.Value{Text: &text}
	case ir.Number:
		number := one(t, "number", numbers...)
		return &ir.Value{Number: &number}
	case ir.Bool:
		yes := chance(t, "bool", 50)
		return &ir.Value{Bool: &yes}
	default:
		return &ir.Value{Composite: true}
	}
}

func span(t *rapid.T) time.Duration { return one(t, "span", spans...) }
