package table

import "math/bits"

// quest is what an event carries, as it is looked for. What it takes is chosen step by step, all of one kind before the next:
// each choice is as good as random, so that a processor had better not have to foresee it.
type query struct {
	terms   []term
	bits    uint64    // their bits
	last    [64]int32 // by bit: the last of the subjects that has it
	before  []int32   // by subject: the one before that has the same bit, or -1
	changed []uint64  // a bit for each property
	guards  []int32   // that open places where somebody asks about that, as far as bits tell
	pairs   []pair    // of those places and subjects, as far as bits tell
	spans   []span    // of entries in the cells of those, where there are any
}

type pair struct {
	partition int32
	term      term
}

// begin makes a quest of what is carried.
func (q *query) begin(r *Registry, c Change) {
	if most := len(c.Properties) + len(c.Repeated) + 1; cap(q.terms) < most {
		q.terms, q.before = make([]term, most), make([]int32, most)
	}
	q.terms, q.bits = q.terms[:0], 0
	for _, p := range c.Properties {
		q.add(term(p))
		q.changed[p>>6] |= 1 << (p & 63)
	}
	for _, p := range c.Repeated {
		q.add(r.repeatedTerm(p))
	}
	if c.Event != NoEvent {
		q.add(r.eventTerm(c.Event))
	}
	if len(q.pairs) < 2*len(q.terms) {
		q.pairs = make([]pair, 64+2*len(q.terms))
		q.spans = make([]span, len(q.pairs))
	}
}

func (q *query) add(s term) {
	n := len(q.terms)
	q.terms = q.terms[:n+1]
	q.terms[n], q.before[n] = s, -1
	if q.bits&s.bit() != 0 {
		q.before[n] = q.last[s&63]
	}
	q.last[s&63] = int32(n)
	q.bits |= s.bit()
}

// carries answers 1 if a property is carried, and else 0.
func (q *query) changes(p PropertyIndex) uint32 { return uint32(q.changed[uint32(p)>>6]>>(p&63)) & 1 }

func (q *query) end(c Change) {
	for _, p := range c.Properties {
		q.changed[p>>6] = 0
	}
}

// find finds the buckets that ask about anything that is carried, where their guards are open.
func (x *flat) find(s *candidateSet, f *Facts) {
	q := &s.query
	n, guards := 0, q.guards
	for i, asked := range f.asked {
		guards[n] = int32(i)
		if asked&q.bits != 0 {
			n++
		}
	}
	found := q.pair(0, always, x.partitions[always].terms)
	for _, g := range guards[:n] {
		if found+len(q.terms) > len(q.pairs) {
			x.scan(s, q.pairs[:found], f.codes)
			found = 0
		}
		asked := f.asked[g]
		if root := x.guards[g].root; q.changes(root) == 1 {
			asked = term(root).bit() // all buckets of the guard ask about that, so nothing is found twice by it
		}
		found = q.pair(found, x.guards[g].first+f.codes[x.guards[g].property], asked)
	}
	x.scan(s, q.pairs[:found], f.codes)
}

// pair appends pairs to so many, and returns how many there are.
func (q *query) pair(found int, place int32, asked uint64) int {
	for asked &= q.bits; asked != 0; asked &= asked - 1 {
		for i := q.last[bits.TrailingZeros64(asked)]; i >= 0; i = q.before[i] {
			q.pairs[found] = pair{place, q.terms[i]}
			found++
		}
	}
	return found
}

// look adds what is in cells, but for what is closed and in which the user does not stand.
func (x *flat) scan(s *candidateSet, pairs []pair, keys []int32) {
	n, spans := 0, s.query.spans
	for _, p := range pairs {
		in := x.list(&x.partitions[p.partition], p.term).span
		spans[n] = in
		if in.begin != in.end {
			n++
		}
	}
	for _, in := range spans[:n] {
		for i := in.begin; i < in.end; i++ {
			e := &x.entries[i]
			s.add(e.bucket, e.ranges[0].holds(keys)&e.ranges[1].holds(keys)|s.isMember(e.bucket))
		}
	}
}
