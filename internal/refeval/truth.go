package refeval

import (
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Holds reports whether a criteria holds for a user at an instant.
func Holds(n *ir.Node, f *Facts, now time.Time) bool {
	switch n.Op {
	case ir.OpAll:
		for _, child := range n.Children {
			if !Holds(child, f, now) {
				return false
			}
		}
		return true
	case ir.OpAny:
		for _, child := range n.Children {
			if Holds(child, f, now) {
				return true
			}
		}
		return false
	case ir.OpNot:
		return !Holds(n.Children[0], f, now)
	case ir.OpEvent:
		return compareCount(n.Event.Operator, count(n.Event, f, now), n.Event.Count)
	default:
		return compareProperty(n.Property, f, now)
	}
}

// count counts the occurrences in (now-W, now], or all if there is no window.
func count(e *ir.EventCheck, f *Facts, now time.Time) int {
	n := 0
	for _, ev := range f.Events {
		if ev.Name != e.Name {
			continue
		}
		if e.Window == nil || ev.At.After(now.Add(-e.Window.Last)) && !ev.At.After(now) {
			n++
		}
	}
	return n
}

func compareCount(op ir.Operator, count, n int) bool {
	switch op {
	case ir.Eq:
		return count == n
	case ir.Gt:
		return count > n
	case ir.Gte:
		return count >= n
	case ir.Lt:
		return count < n
	case ir.Lte:
		return count <= n
	default:
		panic("no such comparison of a count: " + string(op))
	}
}
