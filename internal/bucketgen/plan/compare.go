package plan

import (
	"slices"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry/table"
)

var propertyOps = map[ir.Operator]table.Op{
	ir.Exists: table.OpExists, ir.NotExists: table.OpExists,
	ir.Eq: table.OpIs, ir.Neq: table.OpIs,
	ir.Gt: table.OpMoreThan, ir.Gte: table.OpNotLess, ir.Lt: table.OpLessThan, ir.Lte: table.OpNotMore,
	ir.In: table.OpIn, ir.NotIn: table.OpIn, ir.Between: table.OpBetween,
	ir.Contains: table.OpContains, ir.HasPrefix: table.OpHasPrefix, ir.HasSuffix: table.OpHasSuffix,
	ir.Matches: table.OpMatches,
	ir.Before:  table.OpBefore, ir.After: table.OpAfter,
	ir.InTheLast: table.OpInTheLast, ir.MoreThanAgo: table.OpMoreThanAgo, ir.InTheNext: table.OpInTheNext,
	ir.Today: table.OpToday, ir.ThisWeek: table.OpThisWeek, ir.ThisMonth: table.OpThisMonth,
	ir.HasAny: table.OpHasAny, ir.HasAll: table.OpHasAll,
	ir.LengthIs: table.OpLengthIs, ir.LengthAtLeast: table.OpLengthAtLeast, ir.LengthAtMost: table.OpLengthAtMost,
	ir.HasBeen: table.OpHasBeen, ir.Changed: table.OpChanged,
}

// folded are the operations that ignore letter case, by those that do not.
var folded = map[table.Op]table.Op{
	table.OpIs: table.OpIsFold, table.OpIn: table.OpInFold, table.OpContains: table.OpContainsFold,
	table.OpHasPrefix: table.OpHasPrefixFold, table.OpHasSuffix: table.OpHasSuffixFold,
}

// operands are the kinds of values that an operator compares with; with any other kind it is false,
// whatever the property.
var operands = map[table.Op]table.ValueKind{
	table.OpMoreThan: table.Number, table.OpNotLess: table.Number,
	table.OpLessThan: table.Number, table.OpNotMore: table.Number,
	table.OpContains: table.Text, table.OpHasPrefix: table.Text, table.OpHasSuffix: table.Text,
	table.OpMatches: table.Text, table.OpIsFold: table.Text, table.OpContainsFold: table.Text,
	table.OpHasPrefixFold: table.Text, table.OpHasSuffixFold: table.Text,
	table.OpBefore: table.Time, table.OpAfter: table.Time,
}

// compare appends the table form of a condition on a property, which has that row.
func compare(dst []table.Node, p *ir.PropertyCheck, place table.PropertyIndex) []table.Node {
	n := table.Node{
		Op: propertyOps[p.Operator], Size: 1, Property: place, Span: p.Span, Count: p.Count, Value: operand(p.Value),
	}
	if p.Fold {
		n.Op = folded[n.Op]
	}
	choose(&n, p)
	if want, typed := operands[n.Op]; typed && n.Value.Kind != want || n.Op == table.OpBetween && len(n.With.Numbers) != 2 {
		// Hand-made definitions may compare numbers with texts. The node stays, so that the bucket
		// refers to the property, and never holds.
		return append(dst, table.Node{Op: table.OpAll, Size: 3}, table.Node{Op: table.OpAny, Size: 1}, table.Node{Op: table.OpExists, Size: 1, Property: n.Property})
	}
	if p.Operator == ir.Neq || p.Operator == ir.NotExists || p.Operator == ir.NotIn {
		dst = append(dst, table.Node{Op: table.OpNot, Size: 2})
	}
	return append(dst, n)
}

// choose sets the operands of a node whose operator takes several.
func choose(n *table.Node, p *ir.PropertyCheck) {
	switch n.Op {
	case table.OpIn, table.OpInFold, table.OpHasAny, table.OpHasAll, table.OpBetween:
		n.With = &table.Operands{}
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
		case n.Op == table.OpIn && len(n.With.Numbers) > 0:
			n.Op = table.OpInNumbers
		case n.Op == table.OpBetween && p.Values[0].Time != nil:
			n.Op, n.With = table.OpTimeBetween, &table.Operands{From: operand(p.Values[0]), To: operand(p.Values[1])}
		}
	case table.OpToday, table.OpThisWeek, table.OpThisMonth:
		n.With = &table.Operands{Zone: p.Zone}
	case table.OpChanged:
		n.With = &table.Operands{From: operand(p.From), To: operand(p.To)}
	}
}

// unsigned returns a number without the sign of a zero, so that -0 and 0 give the same definition.
func unsigned(n float64) float64 {
	if n == 0 {
		return 0
	}
	return n
}

func operand(v *ir.Value) table.Value {
	switch {
	case v == nil:
		return table.Value{}
	case v.Text != nil:
		return table.Value{Kind: table.Text, Text: *v.Text}
	case v.Number != nil:
		return table.Value{Kind: table.Number, Number: unsigned(*v.Number)}
	case v.Bool != nil:
		return table.Value{Kind: table.Bool, Bool: *v.Bool}
	case v.Time != nil:
		return table.Value{Kind: table.Time, Time: table.At(*v.Time)}
	default:
		return table.Value{Kind: table.Composite}
	}
}
