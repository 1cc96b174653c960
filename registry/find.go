package registry

import "math/bits"

// quest is what an event carries, as it is looked for.
type quest struct {
	subjects []subject
	asked    uint64    // their bits
	first    [64]int32 // by bit: the place among subjects of the last one that has it
	next     []int32   // by place: the one before that has the same bit, or -1
	carried  []uint64  // a bit for each property
}

func (q *quest) add(s subject) {
	next := int32(-1)
	if q.asked&s.bit() != 0 {
		next = q.first[s&63]
	}
	q.first[s&63] = int32(len(q.subjects))
	q.subjects, q.next = append(q.subjects, s), append(q.next, next)
	q.asked |= s.bit()
}

// begin makes a quest of what is carried.
func (q *quest) begin(r *Registry, c Carried) {
	q.subjects, q.next, q.asked = q.subjects[:0], q.next[:0], 0
	for _, p := range c.Properties {
		q.add(subject(p))
		q.carried[p>>6] |= 1 << (p & 63)
	}
	if c.Event != NoEvent {
		q.add(r.subject(c.Event))
	}
}

func (q *quest) end(c Carried) {
	for _, p := range c.Properties {
		q.carried[p>>6] = 0
	}
}

// hit is a place where buckets ask about what is carried, as far as bits tell.
type hit struct {
	place int32
	asked uint64
}

// find finds the buckets that ask about anything that is carried, where their guards are open. If the property of a guard is
// carried, all of its buckets ask about it, so that nothing is found twice by that guard.
func (x *flat) find(s *sieve, keys []int32) {
	q := &s.quest
	x.look(s, hit{always, x.places[always].asked & q.asked}, keys)
	n := 0
	for i := range x.guards {
		g := &x.guards[i]
		p := g.first + keys[g.property]
		asked := q.asked
		if q.carried[uint32(g.root)>>6]>>(g.root&63)&1 == 1 {
			asked = subject(g.root).bit()
		}
		asked &= x.places[p].asked
		s.hits[n] = hit{p, asked}
		if asked != 0 {
			n++
		}
	}
	for _, h := range s.hits[:n] {
		x.look(s, h, keys)
	}
}

// look adds what is in the cells of a place, but for what is closed and in which the user does not stand.
func (x *flat) look(s *sieve, h hit, keys []int32) {
	q, p := &s.quest, &x.places[h.place]
	for ; h.asked != 0; h.asked &= h.asked - 1 {
		for i := q.first[bits.TrailingZeros64(h.asked)]; i >= 0; i = q.next[i] {
			in := x.cell(p, q.subjects[i])
			for k := in.begin; k < in.end; k++ {
				e := &x.entries[k]
				s.add(e.bucket, e.gates[0].holds(keys)&e.gates[1].holds(keys)|s.stands(e.bucket))
			}
		}
	}
}
