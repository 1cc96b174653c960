package table

import (
	"fmt"
	"slices"
)

// Derived names facts that are stored beside the event log, so that criteria need not read the log.
// They follow from the log, and are computed from it for the time before they were stored.
type Derived struct {
	Kind     DerivedKind
	Signal   SignalIndex
	Position int // of a sum in its signal
	Sequence SequenceIndex
}

// DerivedKind is the kind of derived facts.
type DerivedKind uint8

// The kinds of parts.
const (
	DerivedTotals      DerivedKind = iota // of a signal
	DerivedOccurrences                    // of a signal, or the newest of each group
	DerivedSum                            // of a signal, over a window
	DerivedProgress                       // in a sequence
)

// Derived returns all derived facts that the criteria of the registry need.
func (r *Registry) Derived() []Derived {
	var all []Derived
	for i := range r.Signals {
		s, row := SignalIndex(i), &r.Signals[i]
		if row.Totals {
			all = append(all, Derived{Kind: DerivedTotals, Signal: s})
		}
		if row.KeepsOccurrences() {
			all = append(all, Derived{Kind: DerivedOccurrences, Signal: s})
		}
		for position := range row.Sums {
			all = append(all, Derived{Kind: DerivedSum, Signal: s, Position: position})
		}
	}
	for i := range r.Sequences {
		all = append(all, Derived{Kind: DerivedProgress, Sequence: SequenceIndex(i)})
	}
	return all
}

// KeepsOccurrences reports whether occurrences of the signal are stored beside the log. They are
// not where the log has the same instants, or where a count suffices.
func (s *Signal) KeepsOccurrences() bool {
	return !s.Plain() && (s.Newest > 0 || slices.ContainsFunc(s.Sums, func(w Window) bool { return w != Ever }))
}

// DerivedName returns a name of derived facts that does not depend on the rest of the registry.
func (r *Registry) DerivedName(k Derived) string {
	switch k.Kind {
	case DerivedTotals:
		return "totals of " + r.Signals[k.Signal].Key
	case DerivedOccurrences:
		return "occurrences of " + r.Signals[k.Signal].Key
	case DerivedSum:
		row := &r.Signals[k.Signal]
		return fmt.Sprintf("sum over %s of %s", row.Sums[k.Position].Name(), row.Key)
	default:
		return "progress in " + r.Sequences[k.Sequence].Key
	}
}

// DerivedEvents returns the events from which derived facts are computed.
func (r *Registry) DerivedEvents(k Derived) []EventIndex {
	if k.Kind != DerivedProgress {
		return []EventIndex{r.Signals[k.Signal].Event}
	}
	var events []EventIndex
	for _, step := range r.Sequences[k.Sequence].Steps {
		events = append(events, r.Signals[step.Signal].Event)
	}
	return events
}

// Adopt replaces derived facts by those of other facts, to which all events of the user were added.
func (f *Facts) Adopt(k Derived, from *Facts) {
	switch row := &f.registry.Signals; k.Kind {
	case DerivedTotals:
		total := NoTotal
		if have := from.total(k.Signal); have != nil {
			total = have.Total
		}
		f.SetTotal(k.Signal, total)
	case DerivedOccurrences:
		var newest []Dated
		if have := from.series(k.Signal); have != nil {
			newest = slices.Clone(have.newest)
		}
		f.SetNewest(k.Signal, newest)
		for position := range (*row)[k.Signal].Ago {
			s := PastWindow{}
			if have := from.pastWindow(k.Signal, position); have != nil {
				s.At = slices.Clone(have.At)
			}
			f.SetPastWindow(k.Signal, position, s)
		}
	case DerivedSum:
		sum := NoSum()
		if have := from.sum(k.Signal, k.Position); have != nil {
			sum = have.Sum
			sum.Oldest = slices.Clone(have.Oldest)
		}
		f.SetSum(k.Signal, k.Position, sum)
		f.sum(k.Signal, k.Position).changed = true
	default:
		f.adoptProgress(k.Sequence, from)
	}
}

func (f *Facts) adoptProgress(s SequenceIndex, from *Facts) {
	open := openChains{sequence: s, after: Unset}
	last := Unset
	for _, p := range from.sequences.all {
		if p.sequence != s {
			continue
		}
		f.SetProgress(s, p.key, p.Progress)
		mine := f.sequences.all[p.sequenceKey]
		mine.changed = true
		f.sequences.changed = append(f.sequences.changed, mine)
		open.add(OpenChain{p.Outcome(), p.key})
		last = max(last, p.Outcome())
	}
	of := func(other SequenceIndex) bool { return other == s }
	f.sequences.completions = slices.DeleteFunc(f.sequences.completions, func(c completion) bool { return of(c.sequence) })
	f.sequences.open = slices.DeleteFunc(f.sequences.open, func(o *openChains) bool { return of(o.sequence) })
	f.sequences.recentSteps = slices.DeleteFunc(f.sequences.recentSteps, func(t *recentSteps) bool { return of(t.sequence) })
	if f.registry.Sequences[s].Keyed {
		f.SetCompletion(s, last)
		f.sequences.open = append(f.sequences.open, &open)
	}
	for _, t := range from.sequences.recentSteps {
		if of(t.sequence) {
			f.sequences.recentSteps = append(f.sequences.recentSteps, &recentSteps{t.sequenceKey, t.begin, t.end, slices.Clone(t.all)})
		}
	}
}
