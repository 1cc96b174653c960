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
	case ir.OpAtLeastOf:
		holding := 0
		for _, child := range n.Children {
			if Holds(child, f, now) {
				holding++
			}
		}
		return holding >= n.Count
	case ir.OpNot:
		return !Holds(n.Children[0], f, now)
	case ir.OpMember:
		return f.Members[n.Bucket]
	case ir.OpSample:
		return inSample(n.Sample, f.User)
	case ir.OpEvent:
		return compareEvent(n.Event, f, now)
	case ir.OpSequence:
		return compareSequence(n.Sequence, f, now)
	default:
		return compareProperty(n.Property, f, now)
	}
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
