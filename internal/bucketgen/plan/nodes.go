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
	case ir.OpAll, ir.OpAny, ir.OpNot, ir.OpAtLeastOf:
		dst = append(dst, registry.Node{Op: combinations[n.Op], Count: n.Count})
		for _, child := range n.Children {
			dst = v.nodes(dst, child, place)
		}
	case ir.OpMember:
		dst = append(dst, registry.Node{Op: registry.OpInBucket, Bucket: v.buckets[n.Bucket]})
	case ir.OpSample:
		dst = append(dst, registry.Node{
			Op: registry.OpSample, Value: registry.Value{Kind: registry.Text, Text: n.Sample.Salt},
			With: &registry.Operands{Numbers: []float64{n.Sample.Percent}},
		})
	case ir.OpEvent:
		dst = append(dst, v.count(n.Event))
		if e := n.Event; e.Aggregate == ir.First || e.Aggregate == ir.Last {
			dst = compare(dst, e.Field, v.signals[dst[at].Signal].Field)
		}
	case ir.OpSequence:
		dst = append(dst, v.sequence(n.Sequence))
	default:
		dst = compare(dst, n.Property, place(n.Property))
	}
	dst[at].Size = len(dst) - at
	return dst
}

var combinations = map[ir.Op]registry.Op{
	ir.OpAll: registry.OpAll, ir.OpAny: registry.OpAny, ir.OpNot: registry.OpNot, ir.OpAtLeastOf: registry.OpAtLeastOf,
}

func (v *vocabulary) count(e *ir.EventCheck) registry.Node {
	s, other := signalsOf(e)
	n := registry.Node{Signal: v.signal(s), Window: windowOf(e.Window)}
	switch e.Aggregate {
	case ir.FirstTime:
		n.Op = registry.OpFirstWithin
		return n
	case ir.First:
		n.Op = registry.OpFirst
		return n
	case ir.Last:
		n.Op = registry.OpLast
		return n
	case ir.Sum, ir.Avg:
		n.Op, n.Compare, n.Value = registry.OpSum, comparisons[e.Operator], registry.Value{Kind: registry.Number, Number: unsigned(*e.Number)}
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
