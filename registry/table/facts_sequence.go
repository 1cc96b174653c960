package table

import (
	"cmp"
	"slices"
)

// sequenceFacts is the part of facts that is about sequences.
type sequenceFacts struct {
	all         map[sequenceKey]*sequenceProgress
	changed     []*sequenceProgress
	completions []completion
	open        []*openChains
	recentSteps []*recentSteps
}

type sequenceKey struct {
	sequence SequenceIndex
	key      string
}

// sequenceProgress is the progress of a user in a sequence with one key.
type sequenceProgress struct {
	sequenceKey
	Progress
	changed bool
}

// completion is when the last chain of a sequence was completed, with any key.
type completion struct {
	sequence SequenceIndex
	at       Instant
}

// OpenChain is the newest chain with its key, if nothing has answered it.
type OpenChain struct {
	At  Instant // at which it ended
	Key string
}

// openChains is the open chains of a sequence that ended after an instant, oldest first.
type openChains struct {
	sequence SequenceIndex
	after    Instant
	all      []OpenChain
	more     bool // there are further ones after those
}

// recentSteps is the events around an instant in a sequence with one key, in order.
type recentSteps struct {
	sequenceKey
	begin, end Instant // it holds all between them; Unset and Never: all that ever happened
	all        []Advance
}

// SetProgress sets how far the user has come in a sequence with a key.
func (f *Facts) SetProgress(s SequenceIndex, key string, p Progress) {
	if f.sequences.all == nil {
		f.sequences.all = map[sequenceKey]*sequenceProgress{}
	}
	k := sequenceKey{s, key}
	f.sequences.all[k] = &sequenceProgress{sequenceKey: k, Progress: p.clone()}
}

// SetCompletion sets when a sequence was last completed, with any key. The instant is Unset if it
// never was.
func (f *Facts) SetCompletion(s SequenceIndex, at Instant) {
	f.sequences.completions = append(f.sequences.completions, completion{s, at})
}

// SetOpen sets the open chains of a sequence that ended after an instant, oldest first, and whether
// there are more after those.
func (f *Facts) SetOpen(s SequenceIndex, after Instant, open []OpenChain, more bool) {
	f.sequences.open = append(f.sequences.open, &openChains{s, after, slices.Clone(open), more})
}

// SetRecentSteps sets the events of a sequence with a key between two instants, in order.
func (f *Facts) SetRecentSteps(s SequenceIndex, key string, begin, end Instant, all []Advance) {
	f.sequences.recentSteps = append(f.sequences.recentSteps, &recentSteps{sequenceKey{s, key}, begin, end, slices.Clone(all)})
}

// ProgressChange is a progress that has changed.
type ProgressChange struct {
	Progress
	Sequence SequenceIndex
	Key      string
}

// ProgressChanges returns the progress that has changed.
func (f *Facts) ProgressChanges() []ProgressChange {
	changes := make([]ProgressChange, len(f.sequences.changed))
	for i, p := range f.sequences.changed {
		changes[i] = ProgressChange{p.Progress, p.sequence, p.key}
	}
	return changes
}

// Advance applies an event to a sequence. It records a need at once if facts are lacking.
func (f *Facts) Advance(a Advance) {
	row := &f.registry.Sequences[a.Sequence]
	p := f.progressIn(a.Sequence, a.Key)
	if p == nil {
		return
	}
	before := p.Outcome()
	if a.At >= p.Seen {
		p.take(row, a.At, a.Steps)
	} else {
		around, known := f.recentStepsAround(a)
		if !known {
			return
		}
		p.takeLate(row, a, around)
	}
	f.addRecentStep(a)
	if !p.changed {
		p.changed = true
		f.sequences.changed = append(f.sequences.changed, p)
	}
	if after := p.Outcome(); after != before {
		f.setOutcome(p, before, after)
	}
}

// setOutcome updates completions and open chains after the outcome of a progress has changed.
func (f *Facts) setOutcome(p *sequenceProgress, before, after Instant) {
	for i := range f.sequences.completions {
		if c := &f.sequences.completions[i]; c.sequence == p.sequence {
			c.at = max(c.at, after)
		}
	}
	for _, o := range f.sequences.open {
		if o.sequence == p.sequence {
			o.remove(OpenChain{before, p.key})
			o.add(OpenChain{after, p.key})
		}
	}
}

func (o *openChains) remove(c OpenChain) {
	if i, found := slices.BinarySearchFunc(o.all, c, compareOpen); found {
		o.all = slices.Delete(o.all, i, i+1)
	}
}

func (o *openChains) add(c OpenChain) {
	// Beyond the last loaded chain others may be missing.
	beyond := o.more && (len(o.all) == 0 || c.At > o.all[len(o.all)-1].At)
	if c.At == Unset || c.At <= o.after || beyond {
		return
	}
	i, _ := slices.BinarySearchFunc(o.all, c, compareOpen)
	o.all = slices.Insert(o.all, i, c)
}

func compareOpen(a, b OpenChain) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Key, b.Key))
}

// addRecentStep adds an event to the recent steps that it belongs to, after others of its instant.
func (f *Facts) addRecentStep(a Advance) {
	span := f.registry.Sequences[a.Sequence].Span()
	if span == 0 {
		return
	}
	key, known := sequenceKey{a.Sequence, a.Key}, false
	for _, t := range f.sequences.recentSteps {
		if t.sequenceKey == key && t.begin < a.At && a.At < t.end {
			t.insert(a)
			known = true
		}
	}
	if f.complete && !known {
		f.sequences.recentSteps = append(f.sequences.recentSteps, &recentSteps{key, Unset, Never, []Advance{a}})
	}
}

func (t *recentSteps) insert(a Advance) {
	i, _ := slices.BinarySearchFunc(t.all, a.At+1, func(x Advance, at Instant) int { return order(x.At, at) })
	t.all = slices.Insert(t.all, i, a)
}

// recentStepsAround returns what happened around a late event, nearer to it than a chain can last,
// if that is known.
func (f *Facts) recentStepsAround(late Advance) ([]Advance, bool) {
	span := f.registry.Sequences[late.Sequence].Span()
	if span == 0 {
		return nil, true // a chain is but that event
	}
	key := sequenceKey{late.Sequence, late.Key}
	for _, t := range f.sequences.recentSteps {
		if begin, end := late.At.Add(-span), late.At.Add(span); t.sequenceKey == key && t.begin <= begin && end <= t.end {
			return t.between(begin+1, end), true
		}
	}
	f.need(Need{Kind: NeedRecentSteps, Sequence: late.Sequence, Key: late.Key, At: late.At})
	return nil, f.complete
}

func (t *recentSteps) between(from, to Instant) []Advance {
	at := func(x Advance, at Instant) int { return order(x.At, at) }
	begin, _ := slices.BinarySearchFunc(t.all, from, at)
	end, _ := slices.BinarySearchFunc(t.all, to, at)
	return t.all[begin:end]
}

// progressIn returns the progress in a sequence with a key, or nil if it is not loaded.
func (f *Facts) progressIn(s SequenceIndex, key string) *sequenceProgress {
	if p := f.sequences.all[sequenceKey{s, key}]; p != nil {
		return p
	}
	if f.complete {
		f.SetProgress(s, key, NoProgress(&f.registry.Sequences[s]))
		return f.sequences.all[sequenceKey{s, key}]
	}
	f.need(Need{Kind: NeedProgress, Sequence: s, Key: key})
	return nil
}

// completion returns when a sequence was last completed, or Unset.
func (f *Facts) completion(s SequenceIndex) Instant {
	if !f.registry.Sequences[s].Keyed {
		if p := f.progressIn(s, ""); p != nil {
			return p.Outcome()
		}
		return Unset
	}
	for _, c := range f.sequences.completions {
		if c.sequence == s {
			return c.at
		}
	}
	if f.complete {
		at := Unset
		for _, p := range f.sequences.all {
			if p.sequence == s {
				at = max(at, p.Outcome())
			}
		}
		f.SetCompletion(s, at)
		return at
	}
	f.need(Need{Kind: NeedCompletion, Sequence: s})
	return Unset
}

// openAfter returns the open chains of a sequence that ended after an instant, oldest first, as far
// as they are loaded.
func (f *Facts) openAfter(s SequenceIndex, after Instant) []OpenChain {
	if !f.registry.Sequences[s].Keyed {
		if p := f.progressIn(s, ""); p != nil && p.Outcome() > after {
			return []OpenChain{{At: p.Outcome()}}
		}
		return nil
	}
	for _, o := range f.sequences.open {
		if o.sequence != s || o.after > after {
			continue
		}
		i, _ := slices.BinarySearchFunc(o.all, after+1, func(c OpenChain, at Instant) int { return order(c.At, at) })
		if i < len(o.all) || !o.more {
			return o.all[i:]
		}
	}
	if f.complete {
		o := &openChains{sequence: s, after: Unset}
		for _, p := range f.sequences.all {
			if p.sequence == s {
				o.add(OpenChain{p.Outcome(), p.key})
			}
		}
		f.sequences.open = append(f.sequences.open, o)
		return f.openAfter(s, after)
	}
	f.need(Need{Kind: NeedOpen, Sequence: s, At: after})
	return nil
}

// newest returns the newest known instant of any sequence, or Unset.
func (p *sequenceFacts) newest() Instant {
	newest := Unset
	for _, one := range p.all {
		newest = max(newest, one.Seen)
	}
	for _, c := range p.completions {
		newest = max(newest, c.at)
	}
	for _, o := range p.open {
		if n := len(o.all); n > 0 {
			newest = max(newest, o.all[n-1].At)
		}
	}
	for _, t := range p.recentSteps {
		if n := len(t.all); n > 0 {
			newest = max(newest, t.all[n-1].At)
		}
	}
	return newest
}
