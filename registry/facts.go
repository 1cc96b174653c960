package registry

import (
	"slices"
	"time"
)

// Facts is what is known of one user: the values of their properties and, per event that some criteria asks about, the
// instants of the newest occurrences, as many as the registry needs. Criteria are evaluated on it at Now.
//
// Facts may be incomplete. Asking for an event whose occurrences were not loaded is noted and answered as if there were
// none: whoever decides on that answer must look at [Facts.Lacks] first, load what is lacking and evaluate again.
//
// A Facts is for one goroutine.
type Facts struct {
	Now      Instant
	registry *Registry
	values   []Value  // by Property
	shared   bool     // values belong to somebody else, too, and must not be changed
	changes  []Change // last ones, of properties that have a history
	times    []occurrences
	lacks    []Event
	complete bool
}

type occurrences struct {
	event  Event
	newest []Instant // newest first
}

// NewFacts returns the facts of a user of whom nothing is known and nothing is loaded.
func (r *Registry) NewFacts() *Facts {
	return &Facts{registry: r, values: make([]Value, len(r.Properties))}
}

// NewFactsWith is as NewFacts, of a user whose properties have values that [Facts.Values] returned before.
func (r *Registry) NewFactsWith(values []Value) *Facts {
	return &Facts{registry: r, values: values, shared: true}
}

// Values returns the values of all properties. They must not be changed, and will not be: from now on they are shared.
func (f *Facts) Values() []Value {
	f.shared = true
	return f.values
}

// Complete declares that whatever was not loaded does not exist, so that nothing is ever lacking.
func (f *Facts) Complete() *Facts {
	f.complete = true
	return f
}

// SetProperty sets the value of a property, and of what lies inside of it. A text becomes an instant where the property is
// declared as a time.
func (f *Facts) SetProperty(p Property, v Value) {
	if f.shared {
		f.values, f.shared = slices.Clone(f.values), false
	}
	f.values[p] = v.as(f.registry.Properties[p].Type)
	f.setPaths(p, v)
}

// Property returns the value of a property.
func (f *Facts) Property(p Property) Value { return f.values[p] }

// SetOccurrences says when the event occurred: the newest occurrences, newest first. The slice is kept.
func (f *Facts) SetOccurrences(e Event, newest []Instant) {
	if i := f.find(e); i >= 0 {
		f.times[i].newest = newest
		return
	}
	f.times = append(f.times, occurrences{e, newest})
}

// AddOccurrence adds an occurrence of the event to those that are loaded, keeping as many as the registry needs.
// Where they are not loaded it does nothing: a criteria that asks for them finds them lacking, and whoever evaluates
// loads them and starts over.
func (f *Facts) AddOccurrence(e Event, at Instant) {
	i := f.find(e)
	if i < 0 {
		if !f.complete {
			return
		}
		f.times = append(f.times, occurrences{event: e})
		i = len(f.times) - 1
	}
	newest := f.times[i].newest
	// Of occurrences at one instant the order does not matter: criteria see nothing but the instants.
	pos, _ := slices.BinarySearchFunc(newest, at, func(t, at Instant) int { return order(at, t) })
	newest = slices.Insert(newest, pos, at)
	if keep := f.registry.Events[e].Newest; len(newest) > keep {
		newest = newest[:keep]
	}
	f.times[i].newest = newest
}

// Newest returns the newest known occurrence of any loaded event, or Unset.
func (f *Facts) Newest() Instant {
	newest := Unset
	for _, t := range f.times {
		if len(t.newest) > 0 {
			newest = max(newest, t.newest[0])
		}
	}
	return newest
}

// Asked returns how often an event was asked for that was not loaded. While it stays the same, answers can be trusted.
func (f *Facts) Asked() int { return len(f.lacks) }

// Lacks returns the events that were asked for but not loaded, sorted, without repetition.
func (f *Facts) Lacks() []Event {
	slices.Sort(f.lacks)
	f.lacks = slices.Compact(f.lacks)
	return f.lacks
}

func (f *Facts) find(e Event) int {
	for i := range f.times {
		if f.times[i].event == e {
			return i
		}
	}
	return -1
}

func (f *Facts) occurrences(e Event) []Instant {
	i := f.find(e)
	if i < 0 {
		if !f.complete {
			f.lacks = append(f.lacks, e)
		}
		return nil
	}
	return f.times[i].newest
}

// AtLeast holds while the event occurred n times or more within (now-within, now], or ever if within is 0. It rests on
// the n-th newest occurrence and ends when that one leaves the window; no clock brings it back.
func (f *Facts) AtLeast(e Event, n int, within time.Duration) Verdict {
	if n <= 0 {
		return Verdict{true, Never}
	}
	newest := f.occurrences(e)
	if len(newest) < n {
		return Verdict{false, Never}
	}
	if within == 0 {
		return Verdict{true, Never}
	}
	if end := newest[n-1].Add(within); end > f.Now {
		return Verdict{true, end}
	}
	return Verdict{false, Never}
}

// AtMost holds while the event occurred n times or fewer within (now-within, now], or ever if within is 0. Where it
// fails, it holds again once occurrence n+1 leaves the window.
func (f *Facts) AtMost(e Event, n int, within time.Duration) Verdict {
	return Not(f.AtLeast(e, n+1, within))
}

// Exactly holds while the event occurred n times within (now-within, now], or ever if within is 0.
func (f *Facts) Exactly(e Event, n int, within time.Duration) Verdict {
	enough, more := f.AtLeast(e, n, within), f.AtLeast(e, n+1, within)
	switch {
	case !enough.True || n < 0:
		return Verdict{false, Never}
	case !more.True:
		return Verdict{true, enough.Until}
	case enough.Until == more.Until:
		// The n-th and the next newest leave together: the count passes n by.
		return Verdict{false, Never}
	default:
		return Verdict{false, more.Until}
	}
}

// Exists holds while the property has a value.
func (f *Facts) Exists(p Property) Verdict { return fixed(f.values[p].Exists()) }

// Is holds while the property equals v in type and value.
//
//go:noinline
func (f *Facts) Is(p Property, v Value) Verdict { return fixed(f.values[p].Equal(v)) }

// between is the verdict of a condition that, if it holds at all, holds from begin until just before end.
func (f *Facts) between(possible bool, begin, end Instant) Verdict {
	switch {
	case !possible || f.Now >= end:
		return Verdict{false, Never}
	case f.Now < begin:
		return Verdict{false, begin}
	default:
		return Verdict{true, end}
	}
}

// fixed is the verdict of a condition that no clock changes.
func fixed(holds bool) Verdict { return Verdict{holds, Never} }
