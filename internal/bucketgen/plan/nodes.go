package plan

import (
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry/table"
)

// nodes appends the table form of a criteria. It rewrites operators that are equivalent to others:
// more than n is at least n+1, not equal is not(equal). place finds the row of a property.
func (v *vocabulary) nodes(dst []table.Node, n *ir.Node, place func(*ir.PropertyCheck) table.PropertyIndex) []table.Node {
	at := len(dst)
	switch n.Op {
	case ir.OpAll, ir.OpAny, ir.OpNot, ir.OpAtLeastOf:
		dst = append(dst, table.Node{Op: combinations[n.Op], Count: n.Count})
		for _, child := range n.Children {
			dst = v.nodes(dst, child, place)
		}
	case ir.OpMember:
		dst = append(dst, table.Node{Op: table.OpInBucket, Bucket: v.buckets[n.Bucket]})
	case ir.OpSample:
		dst = append(dst, table.Node{
			Op: table.OpSample, Value: table.Value{Kind: table.Text, Text: n.Sample.Salt},
			With: &table.Operands{Numbers: []float64{n.Sample.Percent}},
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

var combinations = map[ir.Op]table.Op{
	ir.OpAll: table.OpAll, ir.OpAny: table.OpAny, ir.OpNot: table.OpNot, ir.OpAtLeastOf: table.OpAtLeastOf,
}

func (v *vocabulary) count(e *ir.EventCheck) table.Node {
	s, other := signalsOf(e)
	n := table.Node{Signal: v.signal(s), Window: windowOf(e.Window)}
	switch e.Aggregate {
	case ir.FirstTime:
		n.Op = table.OpFirstWithin
		return n
	case ir.First:
		n.Op = table.OpFirst
		return n
	case ir.Last:
		n.Op = table.OpLast
		return n
	case ir.Sum, ir.Avg:
		n.Op, n.Compare, n.Value = table.OpSum, comparisons[e.Operator], table.Value{Kind: table.Number, Number: unsigned(*e.Number)}
		if e.Aggregate == ir.Avg {
			n.Op = table.OpAverage
		}
		return n
	case ir.Min, ir.Max:
		if n.Op, n.Count = table.OpAtLeast, 1; other != nil {
			n.Op, n.Count, n.Other = table.OpOnly, 0, v.signal(*other)
		}
		return n
	case ir.Count, ir.Distinct, ir.DistinctDays:
	}
	n.Count = e.Count
	switch e.Operator {
	case ir.Gte:
		n.Op = table.OpAtLeast
	case ir.Gt:
		n.Op, n.Count = table.OpAtLeast, e.Count+1
	case ir.Lte:
		n.Op = table.OpAtMost
	case ir.Lt:
		n.Op, n.Count = table.OpAtMost, e.Count-1
	default:
		n.Op = table.OpExactly
	}
	return n
}

var comparisons = map[ir.Operator]table.Compare{
	ir.Gte: table.CompareAtLeast, ir.Gt: table.CompareMoreThan, ir.Lte: table.CompareAtMost,
	ir.Lt: table.CompareLessThan, ir.Eq: table.CompareIs,
}
