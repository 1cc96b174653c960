package table

// Progress is how far a user has come in a sequence with one key. Of the chains up to a step it
// holds the one that ends last. That one suffices: it can become whatever an earlier one could, and
// it begins no earlier.
type Progress struct {
	Seen     Instant   // instant of the newest event that could take a step, or Unset
	Begins   []Instant // by step: begin of the chain that ends there last
	Ends     []Instant // by step: end of that chain, or Unset
	Answer   Instant   // instant of the newest event that answers chains, or Unset
	Answered bool      // the answer came after the newest chain
}

// NoProgress is the progress of a user who never took a step.
func NoProgress(row *Sequence) Progress {
	n := len(row.chain())
	all := make([]Instant, 2*n)
	for i := range all {
		all[i] = Unset
	}
	return Progress{Seen: Unset, Begins: all[:n:n], Ends: all[n:], Answer: Unset}
}

// Outcome returns when the newest chain ended, or Unset if it was answered.
func (p *Progress) Outcome() Instant {
	if p.Answered {
		return Unset
	}
	return p.Ends[len(p.Ends)-1]
}

// clone returns a copy that shares no memory.
func (p *Progress) clone() Progress {
	c := *p
	c.Begins, c.Ends = append([]Instant(nil), p.Begins...), append([]Instant(nil), p.Ends...)
	return c
}

// take applies an event that is later than all before. It goes from the last step to the first, so
// that one event does not take two steps of a chain.
func (p *Progress) take(row *Sequence, at Instant, steps StepSet) {
	last := len(p.Ends) - 1
	if row.Unless && steps.has(last+1) {
		p.Answer, p.Answered = at, p.Ends[last] != Unset
	}
	for i := last; i >= 0; i-- {
		if !steps.has(i) {
			continue
		}
		begin := at
		if i > 0 {
			begin = p.Begins[i-1]
			within, before := row.Steps[i].Within, p.Ends[i-1]
			if before == Unset || within > 0 && at >= before.Add(within) || row.Within > 0 && at >= begin.Add(row.Within) {
				continue
			}
		}
		p.Begins[i], p.Ends[i] = begin, at
		if i == last {
			p.Answered = false
		}
	}
	p.Seen = at
}

// takeLate applies an event that is earlier than some before. A chain that contains it lies within
// the span of a chain around it. So replaying the events of that time, in order, finds the new
// chains.
func (p *Progress) takeLate(row *Sequence, late Advance, around []Advance) {
	found, taken := NoProgress(row), false
	for _, a := range around {
		if a.At > late.At && !taken {
			found.take(row, late.At, late.Steps)
			taken = true
		}
		found.take(row, a.At, a.Steps)
	}
	if !taken {
		found.take(row, late.At, late.Steps)
	}
	last := len(p.Ends) - 1
	if row.Unless {
		answers := late.Steps.has(last + 1)
		if answers {
			p.Answer = max(p.Answer, late.At)
		}
		switch end := found.Ends[last]; {
		case end != Unset && end >= p.Ends[last]:
			p.Answered = found.Answered || p.Answer > end
		case answers && p.Ends[last] != Unset && late.At >= p.Ends[last]:
			p.Answered = true
		}
	}
	for i := range p.Ends {
		if found.Ends[i] > p.Ends[i] || found.Ends[i] == p.Ends[i] && found.Begins[i] > p.Begins[i] {
			p.Begins[i], p.Ends[i] = found.Begins[i], found.Ends[i]
		}
	}
}
