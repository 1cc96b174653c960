package registry

import "slices"

// subjects appends what is carried.
func (r *Registry) subjects(dst []subject, c Carried) []subject {
	for _, p := range c.Properties {
		dst = append(dst, subject(p))
	}
	if c.Event != NoEvent {
		dst = append(dst, r.subject(c.Event))
	}
	return dst
}

// find finds the buckets that ask about any of some subjects, where their guards are open. If the property of a guard is
// among those, all of its buckets ask about it, so that nothing is found twice by that guard.
func (x *flat) find(s *sieve, subjects []subject, keys []int32) {
	var asked uint64
	for _, s := range subjects {
		asked |= s.bit()
	}
	x.look(s, always, subjects, keys)
	for i := range x.guards {
		g := &x.guards[i]
		place := g.first + keys[g.property]
		if x.asked[place]&asked == 0 {
			continue
		}
		if own := slices.Index(subjects, subject(g.root)); own >= 0 {
			x.look(s, place, subjects[own:own+1], keys)
		} else {
			x.look(s, place, subjects, keys)
		}
	}
}

// look adds what is in the cells of a place, but for what is closed and in which the user does not stand.
func (x *flat) look(s *sieve, place int32, subjects []subject, keys []int32) {
	for _, about := range subjects {
		if x.asked[place]&about.bit() == 0 {
			continue
		}
		in := x.cells.slot(place, about)
		for i := in.begin; i < in.end; i++ {
			e := &x.entries[i]
			s.add(e.bucket, e.gates[0].holds(keys)&e.gates[1].holds(keys)|s.stands(e.bucket))
		}
	}
}
