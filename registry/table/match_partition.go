package table

import (
	"cmp"
	"iter"
	"math/bits"
	"slices"
)

// guard is a property whose value opens buckets. For each of its keys there is a place, from the first one on, that of key 0.
type guard struct {
	property PropertyIndex
	root     PropertyIndex // what it lies inside of, or itself
	first    int32
}

// place is the buckets that one key of a guard opens, in cells by what they ask about.
type partition struct {
	terms uint64 // the bits of that
	first int32  // of its slots for cells
	last  uint32 // of those, counted from the first: there are a power of two, and no more than half are used
}

// always is the place of buckets without a guard.
const always = 0

// placeOf returns the place that a guard opens to a user.
func (x *flat) partitionOf(g int32, keys []int32) *partition {
	in := &x.guards[g]
	return &x.partitions[in.first+keys[in.property]]
}

// subject is what an event carries that buckets ask about: a property, or after those one that is repeated, or the event.
type term int32

func (r *Registry) repeatedTerm(p PropertyIndex) term { return term(len(r.Properties)) + term(p) }

func (r *Registry) eventTerm(e EventIndex) term { return 2*term(len(r.Properties)) + term(e) }

// bit is one of 64 by which subjects are told apart at first.
func (s term) bit() uint64 { return 1 << (s & 63) }

// cell is the buckets at a place that ask about a subject: these entries. Without any it is an empty slot.
type postingList struct {
	span
	term term
}

type span struct{ begin, end int32 }

// entry is a bucket with the gates that are closed most often. They stand here because entries are read one after the other.
type entry struct {
	bucket BucketIndex
	ranges [2]rangeTest
}

// cell returns the slot where a cell of a place is, or where it belongs.
func (x *flat) list(p *partition, s term) *postingList {
	const golden = 0x9E3779B1
	for i := uint32(s) * golden >> 16; ; i++ {
		if in := &x.lists[p.first+int32(i&p.last)]; in.begin == in.end || in.term == s {
			return in
		}
	}
}

// filing is buckets that are to be filed.
type filing struct {
	partition int32
	term      term
	buckets   []BucketIndex
}

// file files every bucket that an event can be about. What belongs to a place lies together, as users stay at theirs.
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

// filings lists what tables say.
func (x *flat) filings(r *Registry) []filing {
	x.addGuards(r)
	first := make([]int32, len(r.Properties))
	for _, g := range x.guards {
		first[g.property] = g.first
	}
	var all []filing
	add := func(place int32, s term, buckets []BucketIndex) {
		all = append(all, filing{place, s, buckets})
		if p := PropertyIndex(s); int(p) < len(r.Properties) {
			all = append(all, filing{place, r.repeatedTerm(p), slices.DeleteFunc(slices.Clone(buckets), r.clockJoins)})
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

// clockJoins reports whether a user joins a bucket as soon as the criteria holds, so that nothing need happen.
func (r *Registry) clockJoins(b BucketIndex) bool { return !r.Buckets[b].NoClockJoins }

// addGuards gives the keys of guards their places, and notes whose guards they are.
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
	places := int32(always + 1)
	x.guardOf = slices.Repeat([]int32{-1}, len(used))
	for i := range used {
		if p := PropertyIndex(i); used[p] {
			x.guardOf[p] = int32(len(x.guards))
			x.guards = append(x.guards, guard{p, r.root(p), places})
			places += x.dictionaries[p].count()
		}
	}
	x.partitions = make([]partition, places)
}

// postings goes through those of all subjects.
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
