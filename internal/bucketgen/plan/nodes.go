package plan

import (
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry"
)

// nodes appends the table form of a criteria. Operators that are another one in disguise are written as that one:
// more than n is at least n+1, not equal is not(equal).
func (v *vocabulary) nodes(dst []registry.Node, n *ir.Node) []registry.Node {
	at := len(dst)
	switch n.Op {
	case ir.OpAll, ir.OpAny, ir.OpNot:
		dst = append(dst, registry.Node{Op: map[ir.Op]registry.Op{ir.OpAll: registry.OpAll, ir.OpAny: registry.OpAny, ir.OpNot: registry.OpNot}[n.Op]})
		for _, child := range n.Children {
			dst = v.nodes(dst, child)
		}
	case ir.OpEvent:
		dst = append(dst, v.count(n.Event))
	default:
		dst = v.compare(dst, n.Property)
	}
	dst[at].Size = len(dst) - at
	return dst
}

func (v *vocabulary) count(e *ir.EventCheck) registry.Node {
	n := registry.Node{Event: v.event(e.Name), Count: e.Count}
	if e.Window != nil {
		n.Span = e.Window.Last
	}
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
