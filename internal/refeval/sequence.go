package refeval

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// compareSequence answers a condition on a sequence by going through everything that the user ever
// did, once for each key that there is.
func compareSequence(s *ir.SequenceCheck, f *Facts, now time.Time) bool {
	inTime := func(t time.Time) bool {
		return !t.After(now) && (s.Window == nil || t.After(now.Add(-s.Window.Last)))
	}
	events := slices.Clone(f.Events) // in the order of arrival, which sorting keeps within an instant
	slices.SortStableFunc(events, func(a, b Event) int { return a.At.Compare(b.At) })
	for _, key := range keysOf(s, events) {
		last := -1
		for i := range events {
			if !ends(s, events, i, key) {
				continue
			}
			if !s.Unless && inTime(events[i].At) {
				return true
			}
			last = i
		}
		if !s.Unless || last < 0 {
			continue
		}
		answer := len(s.Steps) - 1
		answered := slices.ContainsFunc(events[last+1:], func(ev Event) bool { return takes(&s.Steps[answer], ev, key) })
		if !answered && inTime(events[last].At.Add(s.Steps[answer].Within)) {
			return true
		}
	}
	return false
}

// ends reports whether an event is the last of a chain: of some events, one for each step, that
// follow each other in time.
func ends(s *ir.SequenceCheck, events []Event, last int, key any) bool {
	steps := s.Steps
	if s.Unless {
		steps = steps[:len(steps)-1]
	}
	var back func(step, event int) bool // whether there is a chain that ends so
	back = func(step, event int) bool {
		if !takes(&steps[step], events[event], key) {
			return false
		}
		if step == 0 {
			return s.Within == 0 || len(steps) == 1 || events[last].At.Before(events[event].At.Add(s.Within))
		}
		for before := range event {
			inTime := steps[step].Within == 0 || events[event].At.Before(events[before].At.Add(steps[step].Within))
			if inTime && back(step-1, before) {
				return true
			}
		}
		return false
	}
	return back(len(steps)-1, last)
}

// takes reports whether an event may take a step of a chain with a key.
func takes(step *ir.SequenceStep, ev Event, key any) bool {
	payload := &Facts{Properties: ev.Properties}
	return ev.Name == step.Event && (step.Filter == nil || Holds(step.Filter, payload, ev.At)) && (step.Key == nil || keyOf(step.Key, ev) == key)
}

// keysOf returns the keys of all events, or one that means nothing if the sequence has none.
func keysOf(s *ir.SequenceCheck, events []Event) []any {
	if s.Steps[0].Key == nil {
		return []any{nil}
	}
	var all []any
	for _, ev := range events {
		for i := range s.Steps {
			if ev.Name != s.Steps[i].Event {
				continue
			}
			if key := keyOf(s.Steps[i].Key, ev); key != nil && !slices.Contains(all, key) {
				all = append(all, key)
			}
		}
	}
	return all
}

// keyOf returns the key of an event, or nil if it has none: a list or an object is none.
func keyOf(field *ir.PropertyCheck, ev Event) any {
	switch v := valueOf(field, &Facts{Properties: ev.Properties}).(type) {
	case []any, map[string]any:
		return nil
	case string:
		if t, isInstant := instant(v); isInstant && field.Type == ir.Time {
			return t
		}
		return v
	default:
		return v
	}
}

// sequenceInstants are the instants at which a chain may begin or cease to count.
func sequenceInstants(s *ir.SequenceCheck, f *Facts) []time.Time {
	var silence, window time.Duration
	if s.Unless {
		silence = s.Steps[len(s.Steps)-1].Within
	}
	if s.Window != nil {
		window = s.Window.Last
	}
	var all []time.Time
	for _, ev := range f.Events {
		if asksOf(s, ev.Name) {
			all = append(all, ev.At, ev.At.Add(silence), ev.At.Add(silence+window))
		}
	}
	return all
}

func asksOf(s *ir.SequenceCheck, event string) bool {
	return slices.ContainsFunc(s.Steps, func(step ir.SequenceStep) bool { return step.Event == event })
}

func describeSequence(s *ir.SequenceCheck) string {
	var b strings.Builder
	for i, step := range s.Steps {
		switch {
		case i > 0 && i == len(s.Steps)-1 && s.Unless:
			b.WriteString(" then not ")
		case i > 0:
			b.WriteString(" then ")
		}
		b.WriteString(step.Event)
		if step.Filter != nil {
			b.WriteString(" where " + DescribeNode(step.Filter))
		}
		if step.Key != nil {
			fmt.Fprintf(&b, " by %v", append([]string{step.Key.Name}, step.Key.Path...))
		}
		if step.Within > 0 {
			fmt.Fprintf(&b, " within %s", step.Within)
		}
	}
	if s.Within > 0 {
		fmt.Fprintf(&b, ", all within %s", s.Within)
	}
	if s.Window != nil {
		fmt.Fprintf(&b, ", in the last %s", s.Window.Last)
	}
	return "sequence(" + b.String() + ")"
}
