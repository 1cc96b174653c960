package draw

import (
	"time"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// sequenceCheck draws a sequence of any kind. Its steps are of few events, so that chains are
// nothing rare.
func sequenceCheck(t *rapid.T) *ir.SequenceCheck {
	s := &ir.SequenceCheck{Unless: chance(t, "then not", 50)}
	keyed := chance(t, "keyed", 50)
	key := one(t, "key", "order", "order", "order", "seats")
	typ := ir.Text
	if key == "seats" {
		typ = ir.Number
	}
	n := one(t, "steps", 2, 2, 3, 3, 4)
	each := chance(t, "a time each", 50)
	for i := range n {
		step := ir.SequenceStep{Event: one(t, "step", "a", "b", "a", "c")}
		if chance(t, "step filter", 20) {
			step.Filter = filter(t, step.Event, 1)
		}
		if keyed {
			step.Key = field(step.Event, key, typ)
		}
		last := i == n-1
		if i > 0 && (each || last && s.Unless) {
			step.Within = long(t)
		}
		s.Steps = append(s.Steps, step)
	}
	chain := n
	if s.Unless {
		chain--
	}
	if chain > 1 && !each || chain > 2 && chance(t, "a time over all", 30) {
		s.Within = long(t)
		for i := range chain {
			s.Steps[i].Within = min(s.Steps[i].Within, s.Within)
		}
	}
	if chance(t, "completed in the last", 50) {
		s.Window = &ir.Window{Last: span(t)}
	}
	return s
}

// long draws a time in which something may well happen.
func long(t *rapid.T) time.Duration {
	return one(t, "long", 2*Hour, Hour, 3*Hour, 5*Hour, 5*Hour, time.Microsecond)
}
