package bucket

import (
	"runtime"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Criteria says which users belong: one condition, or conditions combined with [All], [Any] and [Not]. The zero value
// says nothing; using it is an error that bucketgen reports.
type Criteria struct {
	node *ir.Node
}

// All holds while every one of the criteria holds. It needs at least one.
func All(criteria ...Criteria) Criteria {
	return combine(ir.OpAll, criteria)
}

// Any holds while at least one of the criteria holds. It needs at least one.
func Any(criteria ...Criteria) Criteria {
	return combine(ir.OpAny, criteria)
}

// Not holds while the criteria does not. It changes at the same instants as the criteria.
//
// Mind users of whom nothing is known: Not(Plan.Is("pro")) holds for everybody who has no plan.
func Not(criteria Criteria) Criteria {
	return combine(ir.OpNot, []Criteria{criteria})
}

func combine(op ir.Op, criteria []Criteria) Criteria {
	n := &ir.Node{Op: op, Pos: callerOf(2), Children: make([]*ir.Node, len(criteria))}
	for i, c := range criteria {
		n.Children[i] = c.node
		if c.node == nil {
			n.Children[i] = &ir.Node{Pos: n.Pos}
		}
	}
	return Criteria{n}
}

// callerOf returns the place from which the function skip levels above it was called. Builders note it, so that every
// problem can name the line that made it.
func callerOf(skip int) ir.Pos {
	_, file, line, ok := runtime.Caller(skip + 1)
	if !ok {
		return ir.Pos{}
	}
	return ir.Pos{File: file, Line: line}
}
