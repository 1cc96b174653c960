package check

import (
	"strings"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// criteria checks the tree of one definition.
func (c *checker) criteria(d *ir.Definition) {
	before := len(c.found)
	walk(d.Criteria, func(n *ir.Node) { c.node(d, n) })
	if len(c.found) == before && !positive(d.Criteria, false) {
		c.report(d.Criteria.Pos, d.ID, "the criteria holds for everybody of whom nothing is known; "+
			"add a condition that is not an absence, like an event that exists or happened within a window, or a property that is set")
	}
}

func (c *checker) node(d *ir.Definition, n *ir.Node) {
	for _, p := range n.Problems {
		c.report(p.Pos, d.ID, "%s", p.Text)
	}
	switch n.Op {
	case ir.OpAll, ir.OpAny:
		if len(n.Children) == 0 {
			c.report(n.Pos, d.ID, "%s combines no criteria; put at least one between the brackets", title(n.Op))
		}
	case ir.OpNot:
		if len(n.Children) != 1 {
			c.report(n.Pos, d.ID, "Not takes one criteria; combine several with All or Any first")
		}
	case ir.OpProperty:
		c.property(d, n)
	case ir.OpEvent:
		c.event(d, n)
	case "":
		c.report(n.Pos, d.ID, "one of the criteria is empty; a variable of type bucket.Criteria was never set")
	default:
		c.report(n.Pos, d.ID, "there is no criteria of type %q; use properties, events, All, Any and Not", n.Op)
	}
}

func title(op ir.Op) string { return strings.ToUpper(string(op[:1])) + string(op[1:]) }

// positive reports whether a leaf of the tree is positive: false for a user of whom nothing is known, or an absence
// with a window. Negations are pushed to the leaves on the way.
func positive(n *ir.Node, negated bool) bool {
	switch n.Op {
	case ir.OpNot:
		return positive(n.Children[0], !negated)
	case ir.OpAll, ir.OpAny:
		for _, child := range n.Children {
			if positive(child, negated) {
				return true
			}
		}
		return false
	case ir.OpEvent:
		return holdsForStrangers(n.Event) == negated || rolls(n.Event)
	default:
		absent := n.Property.Operator == ir.Neq || n.Property.Operator == ir.NotExists || n.Property.Operator == ir.NotIn
		return absent == negated
	}
}
