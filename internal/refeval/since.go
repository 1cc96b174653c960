package refeval

import (
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// heldSince returns the instant since which a criteria has had its present answer, if that is one
// of the few that are cheaply known without a history.
func heldSince(n *ir.Node, answer bool, f *Facts, now time.Time) (since time.Time, known bool) {
	switch n.Op {
	case ir.OpNot:
		return heldSince(n.Children[0], !answer, f, now)
	case ir.OpAll, ir.OpAny:
		var instants []time.Time
		for _, child := range n.Children {
			if Holds(child, f, now) != answer {
				continue
			}
			at, known := heldSince(child, answer, f, now)
			if !known {
				return time.Time{}, false
			}
			instants = append(instants, at)
		}
		return extreme(instants, n.Op == ir.OpAll == answer)
	case ir.OpEvent:
		return occurredSince(n.Event, answer, f)
	default:
		return time.Time{}, false
	}
}

// extreme returns the latest or the earliest of some instants, if there are any.
func extreme(instants []time.Time, latest bool) (found time.Time, some bool) {
	for i, t := range instants {
		if i == 0 || t.After(found) == latest {
			found = t
		}
	}
	return found, len(instants) > 0
}

// occurredSince knows since when an event has ever occurred, and since when it has not within some
// time.
func occurredSince(e *ir.EventCheck, answer bool, f *Facts) (since time.Time, known bool) {
	is, asked := asksWhether(e)
	occurrences := timesOf(e, f)
	if !asked || len(occurrences) == 0 {
		return time.Time{}, false
	}
	occurred := is == answer
	w := e.Window
	switch {
	case w == nil || w.From != nil || w.To != nil:
		if different := e.Aggregate == ir.Distinct || e.Aggregate == ir.DistinctDays; occurred && !different {
			return extreme(occurrences, false)
		}
	case w.Last > 0 && !w.Ago && !occurred:
		newest, _ := extreme(occurrences, true)
		return newest.Add(w.Last), true
	}
	return time.Time{}, false
}

// asksWhether reports whether all that a condition asks is if there is any occurrence, and which
// answer it wants.
func asksWhether(e *ir.EventCheck) (is, asked bool) {
	switch e.Aggregate {
	case ir.Count, ir.Distinct, ir.DistinctDays:
		switch {
		case e.Operator == ir.Gte && e.Count == 1, e.Operator == ir.Gt && e.Count == 0:
			return true, true
		case e.Operator == ir.Lte && e.Count == 0, e.Operator == ir.Lt && e.Count == 1, e.Operator == ir.Eq && e.Count == 0:
			return false, true
		}
	case ir.Max:
		return true, e.Operator == ir.Gte || e.Operator == ir.Gt
	case ir.Min:
		return true, e.Operator == ir.Lte || e.Operator == ir.Lt
	}
	return false, false
}

// timesOf returns when it occurred what a condition asks about, at whatever time.
func timesOf(e *ir.EventCheck, f *Facts) []time.Time {
	ever := *e
	if w := e.Window; w != nil && w.From == nil && w.To == nil {
		ever.Window = nil
	}
	var times []time.Time
	for _, ev := range counted(&ever, f, endOfTime) {
		single := Facts{Events: []Event{ev}}
		one := ever
		if e.Aggregate == ir.Distinct || e.Aggregate == ir.DistinctDays {
			one.Operator, one.Count = ir.Gte, 1
		}
		if is, _ := asksWhether(&one); !is || compareEvent(&one, &single, endOfTime) {
			times = append(times, ev.At)
		}
	}
	return times
}
