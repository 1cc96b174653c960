package table

import "math/bits"

// query is the terms of an event, and the buffers of its search. The search finishes each step for
// all items before the next step. Its inner loops have no branch on whether an item matches,
// because a processor cannot predict that.
type query struct {
	terms   []term
	bits    uint64    // their bits
	last    [64]int32 // by bit: position of the last term that has it
	before  []int32   // by position: that of the term before with the same bit, or -1
	changed []uint64  // a bit for each property
	guards  []int32   // whose open partition has a bit of the query
	pairs   []pair    // of partitions and terms with a common bit
	spans   []span    // of entries in the posting lists of pairs, unless empty
}

type pair struct {
	partition int32
	term      term
}

// begin fills the query with the terms of a change.
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

// changes returns 1 if the event changes a property, and else 0.
func (q *query) changes(p PropertyIndex) uint32 { return uint32(q.changed[uint32(p)>>6]>>(p&63)) & 1 }

func (q *query) end(c Change) {
	for _, p := range c.Properties {
		q.changed[p>>6] = 0
	}
}

// find adds the buckets that ask about a term of the query and whose guard is open.
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
			// Every bucket of the guard asks about it, so one term finds all.
			asked = term(root).bit()
		}
		found = q.pair(found, x.guards[g].first+f.codes[x.guards[g].property], asked)
	}
	x.scan(s, q.pairs[:found], f.codes)
}

// pair appends the pairs of a partition after the first found pairs, and returns the new number of
// pairs.
func (q *query) pair(found int, partition int32, asked uint64) int {
	for asked &= q.bits; asked != 0; asked &= asked - 1 {
		for i := q.last[bits.TrailingZeros64(asked)]; i >= 0; i = q.before[i] {
			q.pairs[found] = pair{partition, q.terms[i]}
			found++
		}
	}
	return found
}

// scan adds the buckets of the pairs' posting lists whose first two range tests pass, or which the
// user is a member of.
func (x *flat) scan(s *candidateSet, pairs []pair, codes []int32) {
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
			s.add(e.bucket, e.ranges[0].holds(codes)&e.ranges[1].holds(codes)|s.isMember(e.bucket))
		}
	}
}
