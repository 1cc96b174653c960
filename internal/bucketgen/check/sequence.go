package check

import (
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry/table"
)

// sequence checks a condition on events that follow each other.
func (c *checker) sequence(d *ir.Definition, n *ir.Node) {
	s := n.Sequence
	switch {
	case len(s.Steps) < 2:
		c.report(n.Pos, d.ID, "a sequence has two steps or more; add one by Then or ThenNot")
		return
	case len(s.Steps) > table.MaxSteps:
		c.report(n.Pos, d.ID, "a sequence has at most %d steps, and this one %d; drop some", table.MaxSteps, len(s.Steps))
	}
	for i := range s.Steps {
		c.step(d, n, i)
	}
	if len(n.Problems) == 0 { // else the author has a message already
		c.times(d, n)
		c.keys(d, n)
	}
	if s.Window != nil {
		if s.Window.Last <= 0 {
			c.report(n.Pos, d.ID, "InTheLast(%s) is no window; its length must be positive", s.Window.Last)
		}
		c.span(d, n.Pos, "the window", s.Window.Last)
	}
}

func (c *checker) step(d *ir.Definition, n *ir.Node, i int) {
	step := &n.Sequence.Steps[i]
	c.eventName(step.Pos, d.ID, step.Event)
	step.Filter.Walk(func(f *ir.Node) {
		c.node(d, f)
		if f.Property != nil {
			c.ownField(d, f.Pos, f.Property, step.Event)
		}
	})
	if step.Key != nil {
		c.ownField(d, n.Pos, step.Key, step.Event)
		c.propertyName(step.Key.Name, step.Key.Path, n.Pos, d.ID)
	}
}

// times checks that a chain has an end.
func (c *checker) times(d *ir.Definition, n *ir.Node) {
	s := n.Sequence
	c.span(d, n.Pos, "the time of the sequence", s.Within)
	for i := 1; i < len(s.Steps); i++ {
		step, unless := &s.Steps[i], s.Unless && i == len(s.Steps)-1
		c.span(d, step.Pos, "the time of a step", step.Within)
		switch {
		case step.Within == 0 && (s.Within == 0 || unless):
			c.report(step.Pos, d.ID, "event %q may follow at any time; say within which, by Within or ThenWithin", step.Event)
		case !unless && s.Within > 0 && step.Within > s.Within:
			c.report(step.Pos, d.ID, "event %q has %s to follow, and the whole sequence only %s; give the step less than that, or drop its time", step.Event, step.Within, s.Within)
		}
	}
}

// keys checks that all steps have a key of one type, or none has one.
func (c *checker) keys(d *ir.Definition, n *ir.Node) {
	var first *ir.PropertyCheck
	for i := range n.Sequence.Steps {
		if key := n.Sequence.Steps[i].Key; key != nil && first == nil {
			first = key
		}
	}
	if first == nil {
		return
	}
	for i := range n.Sequence.Steps {
		switch step := &n.Sequence.Steps[i]; {
		case step.Key == nil:
			c.report(n.Pos, d.ID, "By names no field of event %q; name one of each event of the sequence", step.Event)
		case step.Key.Type != first.Type:
			c.report(n.Pos, d.ID, "By compares %s, which is a %s, with %s, which is a %s, and those are never equal; declare both of one type",
				subject(first), first.Type, subject(step.Key), step.Key.Type)
		}
	}
}
