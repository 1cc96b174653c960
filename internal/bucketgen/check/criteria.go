package check

import (
	"strings"

	"github.com/bucketgen/bucketgen/internal/ir"
)

const (
	maxEventName = 200 // bytes, as at ingest
	maxCount     = 10_000
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

func (c *checker) event(d *ir.Definition, n *ir.Node) {
	e := n.Event
	switch {
	case e.Name == "":
		c.report(n.Pos, d.ID, "the event has no name; write the name under which it is ingested")
	case strings.HasPrefix(e.Name, "bucket:"):
		c.report(n.Pos, d.ID, "event %q is a transition, and names beginning \"bucket:\" are not for criteria; ask about the events that cause it", e.Name)
	case len(e.Name) > maxEventName || strings.ContainsRune(e.Name, 0):
		c.report(n.Pos, d.ID, "no event has the name %.40q: names have at most %d bytes and no U+0000", e.Name, maxEventName)
	}
	switch e.Operator {
	case ir.Eq, ir.Gt, ir.Gte, ir.Lt, ir.Lte:
	default:
		c.report(n.Pos, d.ID, "a count cannot be compared by %q; use eq, gt, gte, lt or lte", e.Operator)
	}
	if e.Count < 0 {
		c.report(n.Pos, d.ID, "event %q cannot occur %d times; count from 0 up", e.Name, e.Count)
	}
	if e.Window == nil {
		return
	}
	if e.Count > maxCount {
		c.report(n.Pos, d.ID, "a count within a window goes up to %d, because so many instants are read at every look; %d is more", maxCount, e.Count)
	}
	if e.Window.Last <= 0 {
		c.report(n.Pos, d.ID, "Within(%s) is no window; its length must be positive", e.Window.Last)
	} else {
		c.span(d, n.Pos, "the window", e.Window.Last)
	}
}

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
		varies := n.Event.Count > 0 || n.Event.Operator != ir.Gte && n.Event.Operator != ir.Lt
		return countHolds(n.Event.Operator, 0, n.Event.Count) == negated || n.Event.Window != nil && varies
	default:
		absent := n.Property.Operator == ir.Neq || n.Property.Operator == ir.NotExists || n.Property.Operator == ir.NotIn
		return absent == negated
	}
}

func countHolds(op ir.Operator, count, n int) bool {
	switch op {
	case ir.Eq:
		return count == n
	case ir.Gt:
		return count > n
	case ir.Gte:
		return count >= n
	case ir.Lt:
		return count < n
	default:
		return count <= n
	}
}
