package plan

import (
	"slices"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry"
)

var propertyOps = map[ir.Operator]registry.Op{
	ir.Exists: registry.OpExists, ir.NotExists: registry.OpExists,
	ir.Eq: registry.OpIs, ir.Neq: registry.OpIs,
	ir.Gt: registry.OpMoreThan, ir.Gte: registry.OpNotLess, ir.Lt: registry.OpLessThan, ir.Lte: registry.OpNotMore,
	ir.In: registry.OpIn, ir.NotIn: registry.OpIn, ir.Between: registry.OpBetween,
	ir.Contains: registry.OpContains, ir.HasPrefix: registry.OpHasPrefix, ir.HasSuffix: registry.OpHasSuffix,
	ir.Matches: registry.OpMatches,
	ir.Before:  registry.OpBefore, ir.After: registry.OpAfter,
	ir.InTheLast: registry.OpInTheLast, ir.MoreThanAgo: registry.OpMoreThanAgo, ir.InTheNext: registry.OpInTheNext,
	ir.Today: registry.OpToday, ir.ThisWeek: registry.OpThisWeek, ir.ThisMonth: registry.OpThisMonth,
	ir.HasAny: registry.OpHasAny, ir.HasAll: registry.OpHasAll,
	ir.LengthIs: registry.OpLengthIs, ir.LengthAtLeast: registry.OpLengthAtLeast, ir.LengthAtMost: registry.OpLengthAtMost,
	ir.HasBeen: registry.OpHasBeen, ir.Changed: registry.OpChanged,
}

// folded are the operations that ignore letter case, by those that do not.
var folded = map[registry.Op]registry.Op{
	registry.OpIs: registry.OpIsFold, registry.OpIn: registry.OpInFold, registry.OpContains: registry.OpContainsFold,
	registry.OpHasPrefix: registry.OpHasPrefixFold, registry.OpHasSuffix: registry.OpHasSuffixFold,
}

// operands are the kinds of values that an operator compares with; with any other it is false, whatever the property.
var operands = map[registry.Op]registry.ValueKind{
	registry.OpMoreThan: registry.Number, registry.OpNotLess: registry.Number,
	registry.OpLessThan: registry.Number, registry.OpNotMore: registry.Number,
	registry.OpContains: registry.Text, registry.OpHasPrefix: registry.Text, registry.OpHasSuffix: registry.Text,
	registry.OpMatches: registry.Text, registry.OpIsFold: registry.Text, registry.OpContainsFold: registry.Text,
	registry.OpHasPrefixFold: registry.Text, registry.OpHasSuffixFold: registry.Text,
	registry.OpBefore: registry.Time, registry.OpAfter: registry.Time,
}

// compare appends the table form of a condition on a property, which has that row.
func compare(dst []registry.Node, p *ir.PropertyCheck, place registry.Property) []registry.Node {
	n := registry.Node{
		Op: propertyOps[p.Operator], Size: 1, Property: place, Span: p.Span, Count: p.Count, Value: operand(p.Value),
	}
	if p.Fold {
		n.Op = folded[n.Op]
	}
	choose(&n, p)
	if want, typed := operands[n.Op]; typed && n.Value.Kind != want || n.Op == registry.OpBetween && len(n.With.Numbers) != 2 {
		// Hand-made definitions may compare numbers with texts. The node stays, so that the bucket refers to the
		// property, and never holds.
		return append(dst, registry.Node{Op: registry.OpAll, Size: 3}, registry.Node{Op: registry.OpAny, Size: 1}, registry.Node{Op: registry.OpExists, Size: 1, Property: n.Property})
	}
	if p.Operator == ir.Neq || p.Operator == ir.NotExists || p.Operator == ir.NotIn {
		dst = append(dst, registry.Node{Op: registry.OpNot, Size: 2})
	}
	return append(dst, n)
}

// choose gives a node the operands of those operations that take several.
func choose(n *registry.Node, p *ir.PropertyCheck) {
	switch n.Op {
	case registry.OpIn, registry.OpInFold, registry.OpHasAny, registry.OpHasAll, registry.OpBetween:
		n.With = &registry.Operands{}
		for _, v := range p.Values {
			switch {
			case v.Text != nil:
				n.With.Texts = append(n.With.Texts, *v.Text)
			case v.Number != nil:
				n.With.Numbers = append(n.With.Numbers, unsigned(*v.Number))
			}
		}
		slices.Sort(n.With.Texts)
		slices.Sort(n.With.Numbers)
		switch {
		case n.Op == registry.OpIn && len(n.With.Numbers) > 0:
			n.Op = registry.OpInNumbers
		case n.Op == registry.OpBetween && p.Values[0].Time != nil:
			n.Op, n.With = registry.OpTimeBetween, &registry.Operands{From: operand(p.Values[0]), To: operand(p.Values[1])}
		}
	case registry.OpToday, registry.OpThisWeek, registry.OpThisMonth:
		n.With = &registry.Operands{Zone: p.Zone}
	case registry.OpChanged:
		n.With = &registry.Operands{From: operand(p.From), To: operand(p.To)}
	}
}

// unsigned returns a number without the sign of a zero, so that definitions that write -0 and 0 are one.
func unsigned(n float64) float64 {
	if n == 0 {
		return 0
	}
	return n
}

func operand(v *ir.Value) registry.Value {
	switch {
	case v == nil:
		return registry.Value{}
	case v.Text != nil:
		return registry.Value{Kind: registry.Text, Text: *v.Text}
	case v.Number != nil:
		return registry.Value{Kind: registry.Number, Number: unsigned(*v.Number)}
	case v.Bool != nil:
		return registry.Value{Kind: registry.Bool, Bool: *v.Bool}
	case v.Time != nil:
		return registry.Value{Kind: registry.Time, Time: registry.At(*v.Time)}
	default:
		return registry.Value{Kind: registry.Composite}
	}
}
