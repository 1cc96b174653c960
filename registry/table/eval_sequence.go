package table

import (
	"slices"
	"time"
)

// SequenceIndex is the place of a sequence in its registry.
type SequenceIndex int32

// Sequence is a row of the table of sequences: events that follow each other within a time. Those that follow are a
// chain. Equal sequences of different buckets are one.
type Sequence struct {
	Key    string // by which the database knows the sequence, whatever else the registry holds
	Steps  []SequenceStep
	Within time.Duration // a chain ends less than that after it begins; 0: each step has a time of its own
	Keyed  bool          // a chain is of events with the same value in the field of their signal
	Unless bool          // the last step ends no chain: asked is whether it has not followed one within its time
}

// SequenceStep is a step of a sequence.
type SequenceStep struct {
	Signal SignalIndex
	Within time.Duration // it comes less than that after the step before; 0: whenever the sequence allows
}

// chain returns the steps that make a chain.
func (s *Sequence) chain() []SequenceStep {
	if s.Unless {
		return s.Steps[:len(s.Steps)-1]
	}
	return s.Steps
}

// Span returns how long a chain lasts: always less than that. Of a single event it is 0.
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

// Advance is what an event may do in a sequence.
type Advance struct {
	Sequence SequenceIndex
	Key      string // of the chains that it may be in; empty if the sequence is not keyed
	At       Instant
	Steps    StepSet // that it may take
}

// StepSet is a set of steps of a sequence.
type StepSet uint16

// MaxSteps is how many steps a sequence has at most.
const MaxSteps = 15

func (s StepSet) has(step int) bool { return s&(1<<step) != 0 }

// Advances appends what an event may do in sequences, by the signals that it is an occurrence of.
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

// Completed holds while a chain of a sequence was completed within a window. It rests on the one that was last.
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

// Unanswered holds while the last step of a sequence has not followed a chain, the time for that has passed, and it
// passed within a window. Of the chains with one key it is about the newest.
//
// The horizon of one that holds is the instant at which the last of those stops to count that follow each other without
// a gap. Where there are more than are loaded, it is one that is earlier.
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

// openIn returns the open chains of a sequence for which the time to answer has not passed, or passed within a window.
func (f *Facts) openIn(s SequenceIndex, w Window) []OpenChain {
	counts := Unset
	if w != Ever {
		counts = f.now.Add(-f.registry.Sequences[s].silence() - w.Span)
	}
	return f.openAfter(s, counts)
}
