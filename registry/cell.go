package registry

import (
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

// always is the place of buckets without a guard.
const always = 0

// subject is what an event carries that buckets ask about: a property, or the event after those.
type subject int32

func (r *Registry) subject(e Event) subject { return subject(len(r.Properties)) + subject(e) }

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

// bit is one of 64 by which subjects are told apart at first.
func (s subject) bit() uint64 { return 1 << (s & 63) }

// cell is the buckets at a place that ask about a subject: these entries.
type cell struct {
	place      int32
	subject    subject
	begin, end int32
}

// entry is a bucket with the gates that are closed most often. They stand here because entries are read one after the other.
type entry struct {
	bucket Index
	gates  [2]gate
}

// cells are a hash table.
type cells struct {
	all   []cell // no more than half of them used: others are empty
	shift int
}

// newCells returns a table with room for so many.
func newCells(n int) cells {
	log := bits.Len(uint(2 * n))
	return cells{make([]cell, 1<<log), 64 - log}
}

// slot returns where a cell is, or where it belongs.
func (c *cells) slot(place int32, s subject) *cell {
	const golden = 0x9E3779B97F4A7C15
	for i := (uint64(place)<<32 | uint64(s)) * golden >> c.shift; ; i++ {
		in := &c.all[i&uint64(len(c.all)-1)]
		if in.begin == in.end || in.place == place && in.subject == s {
			return in
		}
	}
}

// fileAll files every bucket that an event can be about.
func (x *flat) fileAll(r *Registry) {
	count := 0
	for _, p := range r.postings() {
		count++
		for i := range p.Guarded {
			count += len(p.Guarded[i].Values)
		}
	}
	x.cells = newCells(count)
	x.addGuards(r)
	for s, p := range r.postings() {
		x.file(always, s, p.Always)
		for i := range p.Guarded {
			g := &p.Guarded[i]
			first := x.guards[slices.IndexFunc(x.guards, func(in guard) bool { return in.property == g.Property })].first
			for k := range g.Values {
				x.file(first+x.keys[g.Property].of(&g.Values[k].Value), s, g.Values[k].Buckets)
			}
		}
	}
}

// addGuards gives the keys of guards their places, and notes whose guards they are.
func (x *flat) addGuards(r *Registry) {
	x.closers = slices.Repeat([]Property{noGuard}, len(r.Buckets))
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
	for i := range used {
		if p := Property(i); used[p] {
			x.guards = append(x.guards, guard{p, r.root(p), places})
			places += x.keys[p].count()
		}
	}
	x.asked = make([]uint64, places)
}

// file files buckets at a place under a subject.
func (x *flat) file(place int32, s subject, buckets []Index) {
	if len(buckets) == 0 {
		return
	}
	in := x.cells.slot(place, s)
	*in = cell{place, s, int32(len(x.entries)), int32(len(x.entries) + len(buckets))}
	for _, b := range buckets {
		x.entries = append(x.entries, entry{b, [2]gate(x.programs[b].gates[:2])})
	}
	x.asked[place] |= s.bit()
}
