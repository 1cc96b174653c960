package plan

import (
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry"
)

// nodes appends the table form of a criteria. Operators that are another one in disguise are written as that one:
// more than n is at least n+1, not equal is not(equal). place finds the row of a property.
func (v *vocabulary) nodes(dst []registry.Node, n *ir.Node, place func(*ir.PropertyCheck) registry.Property) []registry.Node {
	at := len(dst)
	switch n.Op {
	case ir.OpAll, ir.OpAny, ir.OpNot:
		dst = append(dst, registry.Node{Op: map[ir.Op]registry.Op{ir.OpAll: registry.OpAll, ir.OpAny: registry.OpAny, ir.OpNot: registry.OpNot}[n.Op]})
		for _, child := range n.Children {
			dst = v.nodes(dst, child, place)
		}
	case ir.OpEvent:
		dst = append(dst, v.count(n.Event))
	default:
		dst = compare(dst, n.Property, place(n.Property))
	}
	dst[at].Size = len(dst) - at
	return dst
}

func (v *vocabulary) count(e *ir.EventCheck) registry.Node {
	s, other := signalsOf(e)
	n := registry.Node{Signal: v.signal(s), Window: windowOf(e.Window)}
	switch e.Aggregate {
	case ir.FirstTime:
		n.Op = registry.OpFirstWithin
		return n
	case ir.Sum, ir.Avg:
		n.Op, n.Compare, n.Value = registry.OpSum, comparisons[e.Operator], registry.Value{Kind: registry.Number, Number: *e.Number}
		if e.Aggregate == ir.Avg {
			n.Op = registry.OpAverage
		}
		return n
	case ir.Min, ir.Max:
		if n.Op, n.Count = registry.OpAtLeast, 1; other != nil {
			n.Op, n.Count, n.Other = registry.OpOnly, 0, v.signal(*other)
		}
		return n
	case ir.Count, ir.Distinct, ir.DistinctDays:
	}
	n.Count = e.Count
	switch e.Operator {
	case ir.Gte:
		n.Op = registry.OpAtLeast
	case ir.Gt:
		n.Op, n.Count = registry.OpAtLeast, e.Count+1
	case ir.Lte:
		n.Op = registry.OpAtMost
	case ir.Lt:
		n.Op, n.Count = registry.OpAtMost, e.Count-1
	default:
		n.Op = registry.OpExactly
	}
	return n
}

var comparisons = map[ir.Operator]registry.Compare{
	ir.Gte: registry.CompareAtLeast, ir.Gt: registry.CompareMoreThan, ir.Lte: registry.CompareAtMost,
	ir.Lt: registry.CompareLessThan, ir.Eq: registry.CompareIs,
}

var propertyOps = map[ir.Operator]registry.Op{
	ir.Exists: registry.OpExists, ir.NotExists: registry.OpExists,
	ir.Eq: registry.OpIs, ir.Neq: registry.OpIs,
	ir.Gt: registry.OpMoreThan, ir.Gte: registry.OpNotLess, ir.Lt: registry.OpLessThan, ir.Lte: registry.OpNotMore,
	ir.Contains: registry.OpContains,
	ir.Before:   registry.OpBefore, ir.After: registry.OpAfter,
	ir.InTheLast: registry.OpInTheLast, ir.MoreThanAgo: registry.OpMoreThanAgo, ir.InTheNext: registry.OpInTheNext,
}

// operands are the kinds of values that an operator compares with; with any other it is false, whatever the property.
var operands = map[registry.Op]registry.ValueKind{
	registry.OpMoreThan: registry.Number, registry.OpNotLess: registry.Number,
	registry.OpLessThan: registry.Number, registry.OpNotMore: registry.Number,
	registry.OpContains: registry.Text,
	registry.OpBefore:   registry.Time, registry.OpAfter: registry.Time,
}

func compare(dst []registry.Node, p *ir.PropertyCheck, place registry.Property) []registry.Node {
	n := registry.Node{Op: propertyOps[p.Operator], Size: 1, Property: place, Span: p.Span, Value: operand(p.Value)}
	if want, typed := operands[n.Op]; typed && n.Value.Kind != want {
		// Hand-made definitions may compare numbers with texts. The node stays, so that the bucket refers to the
		// property, and never holds.
		return append(dst, registry.Node{Op: registry.OpAll, Size: 3}, registry.Node{Op: registry.OpAny, Size: 1}, registry.Node{Op: registry.OpExists, Size: 1, Property: n.Property})
	}
	if p.Operator == ir.Neq || p.Operator == ir.NotExists {
		dst = append(dst, registry.Node{Op: registry.OpNot, Size: 2})
	}
	return append(dst, n)
}

func operand(v *ir.Value) registry.Value {
	switch {
	case v == nil:
		return registry.Value{}
	case v.Text != nil:
		return registry.Value{Kind: registry.Text, Text: *v.Text}
	case v.Number != nil:
		return registry.Value{Kind: registry.Number, Number: *v.Number}
	case v.Bool != nil:
		return registry.Value{Kind: registry.Bool, Bool: *v.Bool}
	case v.Time != nil:
		return registry.Value{Kind: registry.Time, Time: registry.At(*v.Time)}
	default:
		return registry.Value{Kind: registry.Composite}
	}
}
