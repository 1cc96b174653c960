package registry

import (
	"cmp"
	"iter"
	"math/bits"
	"slices"
)

// guard is a property whose value opens buckets. For each of its keys there is a place, from the first one on, that of key 0.
type guard struct {
	property Property
	root     Property // what it lies inside of, or itself
	first    int32
}

// place is the buckets that one key of a guard opens, in cells by what they ask about.
type place struct {
	asked uint64 // the bits of that
	first int32  // of its slots for cells
	last  uint32 // of those, counted from the first: there are a power of two, and no more than half are used
}

// always is the place of buckets without a guard.
const always = 0

// placeOf returns the place that a guard opens to a user.
func (x *flat) placeOf(g int32, keys []int32) *place {
	in := &x.guards[g]
	return &x.places[in.first+keys[in.property]]
}

// subject is what an event carries that buckets ask about: a property, or after those one that is repeated, or the event.
type subject int32

func (r *Registry) repeated(p Property) subject { return subject(len(r.Properties)) + subject(p) }

func (r *Registry) subject(e Event) subject { return 2*subject(len(r.Properties)) + subject(e) }

// bit is one of 64 by which subjects are told apart at first.
func (s subject) bit() uint64 { return 1 << (s & 63) }

// cell is the buckets at a place that ask about a subject: these entries. Without any it is an empty slot.
type cell struct {
	span
	subject subject
}

type span struct{ begin, end int32 }

// entry is a bucket with the gates that are closed most often. They stand here because entries are read one after the other.
type entry struct {
	bucket Index
	gates  [2]gate
}

// cell returns the slot where a cell of a place is, or where it belongs.
func (x *flat) cell(p *place, s subject) *cell {
	const golden = 0x9E3779B1
	for i := uint32(s) * golden >> 16; ; i++ {
		if in := &x.cells[p.first+int32(i&p.last)]; in.begin == in.end || in.subject == s {
			return in
		}
	}
}

// filing is buckets that are to be filed.
type filing struct {
	place   int32
	subject subject
	buckets []Index
}

// file files every bucket that an event can be about. What belongs to a place lies together, as users stay at theirs.
func (x *flat) file(r *Registry) {
	filings := x.filings(r)
	slices.SortStableFunc(filings, func(a, b filing) int { return cmp.Compare(a.place, b.place) })
	for len(filings) > 0 {
		n := 1
		for n < len(filings) && filings[n].place == filings[0].place {
			n++
		}
		p := &x.places[filings[0].place]
		slots := 1 << bits.Len(uint(2*n-1))
		p.first, p.last = int32(len(x.cells)), uint32(slots-1)
		x.cells = append(x.cells, make([]cell, slots)...)
		for _, f := range filings[:n] {
			p.asked |= f.subject.bit()
			*x.cell(p, f.subject) = cell{span{int32(len(x.entries)), int32(len(x.entries) + len(f.buckets))}, f.subject}
			for _, b := range f.buckets {
				x.entries = append(x.entries, entry{b, [2]gate(x.programs[b].gates[:2])})
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
	add := func(place int32, s subject, buckets []Index) {
		all = append(all, filing{place, s, buckets})
		if p := Property(s); int(p) < len(r.Properties) {
			all = append(all, filing{place, r.repeated(p), slices.DeleteFunc(slices.Clone(buckets), r.clockJoins)})
		}
	}
	for s, p := range r.postings() {
		add(always, s, p.Always)
		for i := range p.Guarded {
			g := &p.Guarded[i]
			for k := range g.Values {
				add(first[g.Property]+x.keys[g.Property].of(&g.Values[k].Value), s, g.Values[k].Buckets)
			}
		}
	}
	return slices.DeleteFunc(all, func(f filing) bool { return len(f.buckets) == 0 })
}

// clockJoins reports whether a user joins a bucket as soon as the criteria holds, so that nothing need happen.
func (r *Registry) clockJoins(b Index) bool { return !r.Buckets[b].NoClockJoins }

// addGuards gives the keys of guards their places, and notes whose guards they are.
func (x *flat) addGuards(r *Registry) {
	x.closers = slices.Repeat([]Property{Property(len(r.Properties))}, len(r.Buckets))
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
		if p := Property(i); used[p] {
			x.guardOf[p] = int32(len(x.guards))
			x.guards = append(x.guards, guard{p, r.root(p), places})
			places += x.keys[p].count()
		}
	}
	x.places = make([]place, places)
}

// postings goes through those of all subjects.
func (r *Registry) postings() iter.Seq2[subject, *Postings] {
	return func(yield func(subject, *Postings) bool) {
		for p := range r.ByProperty {
			if !yield(subject(p), &r.ByProperty[p]) {
				return
			}
		}
		for e := range r.ByEvent {
			if !yield(r.subject(Event(e)), &r.ByEvent[e]) {
				return
			}
		}
	}
}
