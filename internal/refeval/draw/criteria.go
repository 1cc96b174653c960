package draw

import (
	"time"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Hour is the unit of the grid.
const Hour = time.Hour

// Spans are the windows, dwells and periods of the grid, except for one that is as short as can be.
var spans = []time.Duration{Hour, 2 * Hour, 3 * Hour, 5 * Hour, time.Microsecond}

// events are those that criteria ask about.
var events = []string{"a", "b", "c"}

// Criteria draws a tree of conditions, as deep as it may be.
func Criteria(t *rapid.T, depth int) *ir.Node {
	var op ir.Op
	if depth > 0 {
		op = one(t, "op", ir.OpEvent, ir.OpProperty, ir.OpSequence, ir.OpAll, ir.OpAny, ir.OpNot, ir.OpAll, ir.OpAtLeastOf)
	} else {
		op = one(t, "leaf", ir.OpEvent, ir.OpProperty, ir.OpSequence)
	}
	if chance(t, "sample", 4) {
		return &ir.Node{Op: ir.OpSample, Sample: sample(t)}
	}
	n := &ir.Node{Op: op}
	switch op {
	case ir.OpEvent:
		n.Event = eventCheck(t)
	case ir.OpSequence:
		n.Sequence = sequenceCheck(t)
	case ir.OpProperty:
		n.Property = propertyCheck(t)
	case ir.OpNot:
		n.Children = []*ir.Node{Criteria(t, depth-1)}
	default:
		for range upTo(t, "children", 1, 3) {
			n.Children = append(n.Children, Criteria(t, depth-1))
		}
		if op == ir.OpAtLeastOf {
			n.Count = upTo(t, "at least", 1, len(n.Children))
		}
	}
	return n
}

func eventCheck(t *rapid.T) *ir.EventCheck {
	e := &ir.EventCheck{
		Name:     one(t, "event", events...),
		Operator: one(t, "comparison", ir.Gte, ir.Lte, ir.Eq, ir.Gt, ir.Lt),
		Count:    one(t, "n", 1, 2, 0, 1, 3),
	}
	if chance(t, "window", 75) {
		e.Window = &ir.Window{Last: span(t)}
	}
	switch {
	case chance(t, "more", 55):
		richEvent(t, e)
	case chance(t, "ago", 35):
		e.Window = ago(t)
	}
	return e
}

func span(t *rapid.T) time.Duration { return one(t, "span", spans...) }

func sample(t *rapid.T) *ir.SampleCheck {
	return &ir.SampleCheck{Percent: one(t, "percent", 50.0, 25, 75, 0.5, 99.9), Salt: one(t, "salt", "a", "b", "c", "d")}
}
