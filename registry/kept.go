package registry

import (
	"fmt"
	"slices"
)

// Kept is a part of what is kept of events beside the log, so that criteria can be answered without reading it. It
// follows from the log: where it was not kept from the beginning, it is made from that.
type Kept struct {
	Kind     KeptKind
	Signal   Signal
	Place    int // of a sum in its signal
	Sequence Sequence
}

// KeptKind is the kind of a part.
type KeptKind uint8

// The kinds of parts.
const (
	KeptTotals      KeptKind = iota // of a signal
	KeptOccurrences                 // of a signal, or the newest of each group
	KeptSum                         // of a signal, over a window
	KeptProgress                    // in a sequence
)

// Kept returns all that the registry wants to be kept.
func (r *Registry) Kept() []Kept {
	var all []Kept
	for i := range r.Signals {
		s, row := Signal(i), &r.Signals[i]
		if row.Totals {
			all = append(all, Kept{Kind: KeptTotals, Signal: s})
		}
		if row.KeepsOccurrences() {
			all = append(all, Kept{Kind: KeptOccurrences, Signal: s})
		}
		for place := range row.Sums {
			all = append(all, Kept{Kind: KeptSum, Signal: s, Place: place})
		}
	}
	for i := range r.Sequences {
		all = append(all, Kept{Kind: KeptProgress, Sequence: Sequence(i)})
	}
	return all
}

// KeepsOccurrences reports whether occurrences of the signal are kept beside the log: not those that the log says as well,
// and not where it is enough to know how many there were.
func (s *SignalRow) KeepsOccurrences() bool {
	return !s.Plain() && (s.Newest > 0 || slices.ContainsFunc(s.Sums, func(w Window) bool { return w != Ever }))
}

// KeptName names a part, whatever else the registry holds.
func (r *Registry) KeptName(k Kept) string {
	switch k.Kind {
	case KeptTotals:
		return "totals of " + r.Signals[k.Signal].Key
	case KeptOccurrences:
		return "occurrences of " + r.Signals[k.Signal].Key
	case KeptSum:
		row := &r.Signals[k.Signal]
		return fmt.Sprintf("sum over %s of %s", row.Sums[k.Place].Name(), row.Key)
	default:
		return "progress in " + r.Sequences[k.Sequence].Key
	}
}

// KeptEvents returns the places of the events that a part is made from.
func (r *Registry) KeptEvents(k Kept) []Event {
	if k.Kind != KeptProgress {
		return []Event{r.Signals[k.Signal].Event}
	}
	var events []Event
	for _, step := range r.Sequences[k.Sequence].Steps {
		events = append(events, r.Signals[step.Signal].Event)
	}
	return events
}

// Adopt takes a part over from facts to which everything that ever happened was added. What was known of it before is
// forgotten.
func (f *Facts) Adopt(k Kept, from *Facts) {
	switch row := &f.registry.Signals; k.Kind {
	case KeptTotals:
		total := NoTotal
		if have := from.total(k.Signal); have != nil {
			total = have.Total
		}
		f.SetTotal(k.Signal, total)
	case KeptOccurrences:
		var newest []Dated
		if have := from.series(k.Signal); have != nil {
			newest = slices.Clone(have.newest)
		}
		f.SetNewest(k.Signal, newest)
		for place := range (*row)[k.Signal].Ago {
			s := Stretch{}
			if have := from.stretch(k.Signal, place); have != nil {
				s.At = slices.Clone(have.At)
			}
			f.SetStretch(k.Signal, place, s)
		}
	case KeptSum:
		sum := NoSum()
		if have := from.sum(k.Signal, k.Place); have != nil {
			sum = have.Sum
			sum.Oldest = slices.Clone(have.Oldest)
		}
		f.SetSum(k.Signal, k.Place, sum)
		f.sum(k.Signal, k.Place).changed = true
	default:
		f.adoptProgress(k.Sequence, from)
	}
}

func (f *Facts) adoptProgress(s Sequence, from *Facts) {
	open := openChains{sequence: s, after: Unset}
	last := Unset
	for _, p := range from.pursuits.all {
		if p.sequence != s {
			continue
		}
		f.SetProgress(s, p.key, p.Progress)
		mine := f.pursuits.all[p.pursuitKey]
		mine.changed = true
		f.pursuits.changed = append(f.pursuits.changed, mine)
		open.add(OpenChain{p.Outcome(), p.key})
		last = max(last, p.Outcome())
	}
	of := func(other Sequence) bool { return other == s }
	f.pursuits.completions = slices.DeleteFunc(f.pursuits.completions, func(c completion) bool { return of(c.sequence) })
	f.pursuits.open = slices.DeleteFunc(f.pursuits.open, func(o *openChains) bool { return of(o.sequence) })
	f.pursuits.trails = slices.DeleteFunc(f.pursuits.trails, func(t *trail) bool { return of(t.sequence) })
	if f.registry.Sequences[s].Keyed {
		f.SetCompletion(s, last)
		f.pursuits.open = append(f.pursuits.open, &open)
	}
	for _, t := range from.pursuits.trails {
		if of(t.sequence) {
			f.pursuits.trails = append(f.pursuits.trails, &trail{t.pursuitKey, t.begin, t.end, slices.Clone(t.all)})
		}
	}
}
