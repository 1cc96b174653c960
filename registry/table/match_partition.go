package table

import (
	"cmp"
	"iter"
	"math/bits"
	"slices"
)

// guard is a property whose values open buckets. Each of its codes has a partition: that of code 0
// is first, the others follow.
type guard struct {
	property PropertyIndex
	root     PropertyIndex // the property that contains it, or itself
	first    int32
}

// partition is the buckets that one code of a guard opens, in a posting list per term. The lists
// are in a hash table of its own, a part of flat.lists.
type partition struct {
	terms uint64 // the bits of the terms
	first int32  // of its slots in flat.lists
	last  uint32 // of these, counted from first; 2^n slots, at most half used
}

// always is the partition of buckets without a guard.
const always = 0

// partitionOf returns the partition that a guard opens for a user with the given codes.
func (x *flat) partitionOf(g int32, codes []int32) *partition {
	in := &x.guards[g]
	return &x.partitions[in.first+codes[in.property]]
}

// term is what an event carries and buckets ask about. Properties come first, then repeated
// properties, then events.
type term int32

func (r *Registry) repeatedTerm(p PropertyIndex) term { return term(len(r.Properties)) + term(p) }

func (r *Registry) eventTerm(e EventIndex) term { return 2*term(len(r.Properties)) + term(e) }

// bit is the term's bit in a set of 64. Terms that share a bit are compared afterwards.
func (s term) bit() uint64 { return 1 << (s & 63) }

// postingList is the entries of a partition for one term. A list without entries is an empty slot.
type postingList struct {
	span
	term term
}

type span struct{ begin, end int32 }

// entry is a bucket with a copy of the two range tests that fail most often. A scan reads entries
// in order, so the copy saves a read of compiled.
type entry struct {
	bucket BucketIndex
	ranges [2]rangeTest
}

// list returns the slot of a term in a partition, or the empty one where it belongs.
func (x *flat) list(p *partition, s term) *postingList {
	const golden = 0x9E3779B1
	for i := uint32(s) * golden >> 16; ; i++ {
		if in := &x.lists[p.first+int32(i&p.last)]; in.begin == in.end || in.term == s {
			return in
		}
	}
}

// filing is the buckets of one future posting list.
type filing struct {
	partition int32
	term      term
	buckets   []BucketIndex
}

// file makes partitions and posting lists of all filings. The entries of a partition are adjacent,
// because the events of a user search the same partitions again.
func (x *flat) file(r *Registry) {
	filings := x.filings(r)
	slices.SortStableFunc(filings, func(a, b filing) int { return cmp.Compare(a.partition, b.partition) })
	for len(filings) > 0 {
		n := 1
		for n < len(filings) && filings[n].partition == filings[0].partition {
			n++
		}
		p := &x.partitions[filings[0].partition]
		slots := 1 << bits.Len(uint(2*n-1))
		p.first, p.last = int32(len(x.lists)), uint32(slots-1)
		x.lists = append(x.lists, make([]postingList, slots)...)
		for _, f := range filings[:n] {
			p.terms |= f.term.bit()
			*x.list(p, f.term) = postingList{span{int32(len(x.entries)), int32(len(x.entries) + len(f.buckets))}, f.term}
			for _, b := range f.buckets {
				x.entries = append(x.entries, entry{b, [2]rangeTest(x.compiled[b].ranges[:2])})
			}
		}
		filings = filings[n:]
	}
}

// filings lists the posting lists that the tables imply.
func (x *flat) filings(r *Registry) []filing {
	x.addGuards(r)
	first := make([]int32, len(r.Properties))
	for _, g := range x.guards {
		first[g.property] = g.first
	}
	var all []filing
	add := func(partition int32, s term, buckets []BucketIndex) {
		all = append(all, filing{partition, s, buckets})
		if p := PropertyIndex(s); int(p) < len(r.Properties) {
			all = append(all, filing{partition, r.repeatedTerm(p), slices.DeleteFunc(slices.Clone(buckets), r.clockJoins)})
		}
	}
	for s, p := range r.postings() {
		add(always, s, p.Always)
		for i := range p.Guarded {
			g := &p.Guarded[i]
			for k := range g.Values {
				add(first[g.Property]+x.dictionaries[g.Property].code(&g.Values[k].Value), s, g.Values[k].Buckets)
			}
		}
	}
	return slices.DeleteFunc(all, func(f filing) bool { return len(f.buckets) == 0 })
}

// clockJoins reports whether the clock makes a user join the bucket as soon as the criteria holds,
// without an event.
func (r *Registry) clockJoins(b BucketIndex) bool { return !r.Buckets[b].NoClockJoins }

// addGuards assigns partitions to the codes of guards, and sets closers.
func (x *flat) addGuards(r *Registry) {
	x.closers = slices.Repeat([]PropertyIndex{PropertyIndex(len(r.Properties))}, len(r.Buckets))
	used := make([]bool, len(r.Properties))
	for _, p := range r.postings() {
		for i := range p.Guarded {
			g := &p.Guarded[i]
			used[g.Property] = true
			for k := range g.Values {
				for _, b := range g.Values[k].Buckets {
					x.closers[b] = r.root(g.Property)
				}
			}
		}
	}
	next := int32(always + 1)
	x.guardOf = slices.Repeat([]int32{-1}, len(used))
	for i := range used {
		if p := PropertyIndex(i); used[p] {
			x.guardOf[p] = int32(len(x.guards))
			x.guards = append(x.guards, guard{p, r.root(p), next})
			next += x.dictionaries[p].count()
		}
	}
	x.partitions = make([]partition, next)
}

// postings yields the postings of all terms.
func (r *Registry) postings() iter.Seq2[term, *Postings] {
	return func(yield func(term, *Postings) bool) {
		for p := range r.ByProperty {
			if !yield(term(p), &r.ByProperty[p]) {
				return
			}
		}
		for e := range r.ByEvent {
			if !yield(r.eventTerm(EventIndex(e)), &r.ByEvent[e]) {
				return
			}
		}
	}
}
