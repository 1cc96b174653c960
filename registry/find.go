package registry

import "math/bits"

// quest is what an event carries, as it is looked for. What it takes is chosen step by step, all of one kind before the next:
// each choice is as good as random, so that a processor had better not have to foresee it.
type quest struct {
	subjects []subject
	asked    uint64    // their bits
	last     [64]int32 // by bit: the last of the subjects that has it
	before   []int32   // by subject: the one before that has the same bit, or -1
	carried  []uint64  // a bit for each property
	guards   []int32   // that open places where somebody asks about that, as far as bits tell
	pairs    []pair    // of those places and subjects, as far as bits tell
	spans    []span    // of entries in the cells of those, where there are any
}

type pair struct {
	place   int32
	subject subject
}

// begin makes a quest of what is carried.
func (q *quest) begin(r *Registry, c Carried) {
	if most := len(c.Properties) + len(c.Repeated) + 1; cap(q.subjects) < most {
		q.subjects, q.before = make([]subject, most), make([]int32, most)
	}
	q.subjects, q.asked = q.subjects[:0], 0
	for _, p := range c.Properties {
		q.add(subject(p))
		q.carried[p>>6] |= 1 << (p & 63)
	}
	for _, p := range c.Repeated {
		q.add(r.repeated(p))
	}
	if c.Event != NoEvent {
		q.add(r.subject(c.Event))
	}
	if len(q.pairs) < 2*len(q.subjects) {
		q.pairs = make([]pair, 64+2*len(q.subjects))
		q.spans = make([]span, len(q.pairs))
	}
}

func (q *quest) add(s subject) {
	n := len(q.subjects)
	q.subjects = q.subjects[:n+1]
	q.subjects[n], q.before[n] = s, -1
	if q.asked&s.bit() != 0 {
		q.before[n] = q.last[s&63]
	}
	q.last[s&63] = int32(n)
	q.asked |= s.bit()
}

// carries answers 1 if a property is carried, and else 0.
func (q *quest) carries(p Property) uint32 { return uint32(q.carried[uint32(p)>>6]>>(p&63)) & 1 }

func (q *quest) end(c Carried) {
	for _, p := range c.Properties {
		q.carried[p>>6] = 0
	}
}

// find finds the buckets that ask about anything that is carried, where their guards are open.
func (x *flat) find(s *sieve, f *Facts) {
	q := &s.quest
	n, guards := 0, q.guards
	for i, asked := range f.asked {
		guards[n] = int32(i)
		if asked&q.asked != 0 {
			n++
		}
	}
	found := q.pair(0, always, x.places[always].asked)
	for _, g := range guards[:n] {
		if found+len(q.subjects) > len(q.pairs) {
			x.look(s, q.pairs[:found], f.keys)
			found = 0
		}
		asked := f.asked[g]
		if root := x.guards[g].root; q.carries(root) == 1 {
			asked = subject(root).bit() // all buckets of the guard ask about that, so nothing is found twice by it
		}
		found = q.pair(found, x.guards[g].first+f.keys[x.guards[g].property], asked)
	}
	x.look(s, q.pairs[:found], f.keys)
}

// pair appends pairs to so many, and returns how many there are.
func (q *quest) pair(found int, place int32, asked uint64) int {
	for asked &= q.asked; asked != 0; asked &= asked - 1 {
		for i := q.last[bits.TrailingZeros64(asked)]; i >= 0; i = q.before[i] {
			q.pairs[found] = pair{place, q.subjects[i]}
			found++
		}
	}
	return found
}

// look adds what is in cells, but for what is closed and in which the user does not stand.
func (x *flat) look(s *sieve, pairs []pair, keys []int32) {
	n, spans := 0, s.quest.spans
	for _, p := range pairs {
		in := x.cell(&x.places[p.place], p.subject).span
		spans[n] = in
		if in.begin != in.end {
			n++
		}
	}
	for _, in := range spans[:n] {
		for i := in.begin; i < in.end; i++ {
			e := &x.entries[i]
			s.add(e.bucket, e.gates[0].holds(keys)&e.gates[1].holds(keys)|s.stands(e.bucket))
		}
	}
}
