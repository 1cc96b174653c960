package table

import (
	"slices"
	"time"
)

// SequenceIndex is the position of a sequence in its registry.
type SequenceIndex int32

// Sequence is a row of the table of sequences: events that follow each other within a time. Events
// that do so form a chain. Equal sequences of different buckets share a row.
type Sequence struct {
	Key    string // in the database; it does not depend on the rest of the registry
	Steps  []SequenceStep
	Within time.Duration // bounds a chain, exclusive; 0: each step has its own bound
	Keyed  bool          // events of a chain have the same value in the field of their signal
	Unless bool          // the last step answers a chain; the condition is that it did not
}

// SequenceStep is a step of a sequence.
type SequenceStep struct {
	Signal SignalIndex
	Within time.Duration // of the step before, exclusive; 0: the sequence alone bounds it
}

// chain returns the steps that form a chain.
func (s *Sequence) chain() []SequenceStep {
	if s.Unless {
		return s.Steps[:len(s.Steps)-1]
	}
	return s.Steps
}

// Span returns an upper bound, exclusive, of how long a chain lasts. It is 0 for a single event.
func (s *Sequence) Span() time.Duration {
	var sum time.Duration
	chain := s.chain()
	for _, step := range chain[1:] {
		if step.Within == 0 {
			return s.Within
		}
		sum += step.Within
	}
	if s.Within > 0 && len(chain) > 1 {
		return min(sum, s.Within)
	}
	return sum
}

// silence is how long the last step must not follow a chain.
func (s *Sequence) silence() time.Duration { return s.Steps[len(s.Steps)-1].Within }

// Advance is the steps that an event may take in a sequence.
type Advance struct {
	Sequence SequenceIndex
	Key      string // of the chains that the event may be in; empty without keys
	At       Instant
	Steps    StepSet // that the event may take
}

// StepSet is a set of steps of a sequence.
type StepSet uint16

// MaxSteps is the largest number of steps of a sequence.
const MaxSteps = 15

func (s StepSet) has(step int) bool { return s&(1<<step) != 0 }

// Advances appends the advances of an event in sequences. Its occurrences of signals decide the
// steps.
func (r *Registry) Advances(dst []Advance, event []Occurrence) []Advance {
	begin := len(dst)
	for _, o := range event {
		for _, s := range r.Signals[o.Signal].Sequences {
			row := &r.Sequences[s]
			a := Advance{Sequence: s, At: o.At}
			if row.Keyed {
				if k := o.Value.Kind; k == Missing || k == Composite || k == List {
					continue
				}
				a.Key = groupOf(o.Value)
			}
			for i := range row.Steps {
				if row.Steps[i].Signal == o.Signal {
					a.Steps |= 1 << i
				}
			}
			same := func(b Advance) bool { return b.Sequence == a.Sequence && b.Key == a.Key }
			if i := slices.IndexFunc(dst[begin:], same); i >= 0 {
				dst[begin+i].Steps |= a.Steps // one event, which takes one step of a chain at most
				continue
			}
			dst = append(dst, a)
		}
	}
	return dst
}

// Completed holds while a chain of a sequence was completed within a window. The last completed
// chain decides.
func (f *Facts) Completed(s SequenceIndex, w Window) Verdict {
	at := f.completion(s)
	if at == Unset {
		return Verdict{false, Never}
	}
	if end := w.end(at); end > f.now {
		return Verdict{true, end}
	}
	return Verdict{false, Never}
}

// Unanswered holds while the last step of a sequence has not followed a chain, the time for that
// has passed, and it passed within a window. Of the chains with one key the newest decides.
//
// The horizon of a true verdict is the instant at which the last of the chains that count without a
// gap stops to count. It is earlier if there are more chains than are loaded.
func (f *Facts) Unanswered(s SequenceIndex, w Window) Verdict {
	silence, open := f.registry.Sequences[s].silence(), f.openIn(s, w)
	if len(open) == 0 {
		return Verdict{false, Never}
	}
	begin := open[0].At.Add(silence)
	if begin > f.now {
		return Verdict{false, begin}
	}
	end := w.end(begin)
	for _, next := range open[1:] {
		if next.At.Add(silence) > end {
			break
		}
		end = w.end(next.At.Add(silence))
	}
	return Verdict{true, end}
}

// openIn returns the open chains of a sequence whose time to answer has not passed, or passed
// within a window.
func (f *Facts) openIn(s SequenceIndex, w Window) []OpenChain {
	counts := Unset
	if w != Ever {
		counts = f.now.Add(-f.registry.Sequences[s].silence() - w.Span)
	}
	return f.openAfter(s, counts)
}
