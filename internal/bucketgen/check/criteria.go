package check

import (
	"github.com/bucketgen/bucketgen/internal/ir"
)

// criteria checks the tree of one definition.
func (c *checker) criteria(d *ir.Definition) {
	before := len(c.found)
	d.Criteria.Walk(func(n *ir.Node) { c.node(d, n) })
	if len(c.found) == before && !positive(d.Criteria, false) {
		c.report(d.Criteria.Pos, d.ID, "the criteria holds for every user without any facts; "+
			"add a condition that is not an absence, like an event that exists or happened within a window, or a property that is set")
	}
}

func (c *checker) node(d *ir.Definition, n *ir.Node) {
	for _, p := range n.Problems {
		c.report(p.Pos, d.ID, "%s", p.Text)
	}
	switch n.Op {
	case ir.OpAll, ir.OpAny, ir.OpAtLeastOf:
		switch {
		case len(n.Children) == 0:
			c.report(n.Pos, d.ID, "%s combines no criteria; put at least one between the brackets", combinations[n.Op])
		case n.Op != ir.OpAtLeastOf:
		case n.Count < 1:
			c.report(n.Pos, d.ID, "AtLeastOf(%d, ...) holds for every user; ask for 1 or more", n.Count)
		case n.Count > len(n.Children):
			c.report(n.Pos, d.ID, "AtLeastOf(%d, ...) combines %d only, so it holds for no user; ask for no more than there are", n.Count, len(n.Children))
		}
	case ir.OpNot:
		if len(n.Children) != 1 {
			c.report(n.Pos, d.ID, "Not takes one criteria; combine several with All or Any first")
		}
	case ir.OpProperty:
		c.property(d, n)
	case ir.OpEvent:
		c.event(d, n)
	case ir.OpMember:
		c.member(d, n)
	case ir.OpSample:
		c.sample(d, n)
	case ir.OpSequence:
		c.sequence(d, n)
	case "":
		c.report(n.Pos, d.ID, "one of the conditions is empty; a variable of type bucket.Criteria or bucket.Filter was never set")
	default:
		c.report(n.Pos, d.ID, "there is no criteria of type %q; use properties, events, sequences, InBucket, All, Any, Not and AtLeastOf", n.Op)
	}
}

var combinations = map[ir.Op]string{ir.OpAll: "All", ir.OpAny: "Any", ir.OpAtLeastOf: "AtLeastOf"}

// positive reports whether a leaf of the tree is positive: false for a user without any facts, or
// an absence with a window. It pushes negations to the leaves on the way.
func positive(n *ir.Node, negated bool) bool {
	switch n.Op {
	case ir.OpNot:
		return positive(n.Children[0], !negated)
	case ir.OpAll, ir.OpAny, ir.OpAtLeastOf:
		for _, child := range n.Children {
			if positive(child, negated) {
				return true
			}
		}
		return false
	case ir.OpSample:
		return true // a negated one chooses users, too
	case ir.OpEvent:
		return holdsForStrangers(n.Event) == negated || rolls(n.Event)
	case ir.OpMember, ir.OpSequence:
		return !negated
	default:
		return isAbsence(n.Property) == negated
	}
}

// isAbsence reports whether a condition on a property holds for a missing one.
func isAbsence(p *ir.PropertyCheck) bool {
	return p.Operator == ir.Neq || p.Operator == ir.NotExists || p.Operator == ir.NotIn
}
