package bucket

import (
	"runtime"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Criteria defines the members of a bucket: one condition, or conditions combined with [All],
// [Any], [Not] and [AtLeastOf]. The zero value has no condition; bucketgen reports its use as an
// error.
type Criteria struct {
	node *ir.Node
}

// Filter selects occurrences of an event by the event's payload: one condition on a field of it, or
// conditions combined with [All], [Any], [Not] and [AtLeastOf]. The zero value has no condition;
// bucketgen reports its use as an error.
type Filter struct {
	node *ir.Node
}

// Condition is what [All], [Any], [Not] and [AtLeastOf] combine. Conditions on users and conditions
// on payloads do not mix.
type Condition interface {
	Criteria | Filter
}

// All holds while every one of the conditions holds. It needs at least one.
func All[C Condition](conditions ...C) C {
	return combine(ir.OpAll, conditions)
}

// Any holds while at least one of the conditions holds. It needs at least one.
func Any[C Condition](conditions ...C) C {
	return combine(ir.OpAny, conditions)
}

// AtLeastOf holds while any n of the conditions or more hold. n must be 1 or more, and no more than
// there are conditions.
func AtLeastOf[C Condition](n int, conditions ...C) C {
	all := combine(ir.OpAtLeastOf, conditions)
	Criteria(all).node.Count = n
	return all
}

// Not holds while the condition does not. It changes at the same instants as the condition.
//
// Mind users without any facts: Not(Plan.Is("pro")) holds for all users without a plan.
func Not[C Condition](condition C) C {
	return combine(ir.OpNot, []C{condition})
}

func combine[C Condition](op ir.Op, conditions []C) C {
	n := &ir.Node{Op: op, Pos: callerOf(2), Children: make([]*ir.Node, len(conditions))}
	for i, c := range conditions {
		n.Children[i] = Criteria(c).node
		if n.Children[i] == nil {
			n.Children[i] = &ir.Node{Pos: n.Pos}
		}
	}
	return C(Criteria{n})
}

// callerOf returns the source position of the call to the function skip levels above it. Builders
// record it, so that every problem names the line that caused it.
func callerOf(skip int) ir.Pos {
	_, file, line, ok := runtime.Caller(skip + 1)
	if !ok {
		return ir.Pos{}
	}
	return ir.Pos{File: file, Line: line}
}
