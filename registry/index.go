package registry

import (
	"math/bits"
	"slices"
)

// Postings are the buckets that refer to one event, or to one property.
//
// A criteria like All(Plan.Is("pro"), ...) cannot hold while the plan is another: Plan is the guard of that bucket, and
// unless the user is in it, nothing that happens matters to it. So buckets with a guard are filed under the value that
// opens them, and are found only where the user has it.
type Postings struct {
	Always  []Index
	Guarded []Guarded
}

// Guarded are the buckets whose guard is a certain property, by the value that opens them.
type Guarded struct {
	Property Property
	Values   []Posting // sorted by value
}

// Posting is the buckets that one value opens.
type Posting struct {
	Value   Value
	Buckets []Index
}

// Carried is what an ingest brings of a user that criteria could ask about.
type Carried struct {
	Event      Event // or NoEvent
	Properties []Property
	Newcomer   bool // the user is new, or is looked at anew
}

// Candidates appends the buckets whose membership may change by what an ingest carries, sorted and without repetition. The
// facts must include what is carried, and be of this registry; standing are the buckets in which the user is, or is kept
// from. Those are candidates when something is carried that closes their guard, which is what makes users leave. Others are
// none while the properties of the user close them.
func (r *Registry) Candidates(dst []Index, c Carried, f *Facts, standing []Index) []Index {
	x, s := r.flat(), newSieve(len(r.Buckets))
	if c.Newcomer {
		s.add(r.Newcomers)
	}
	if c.Event != NoEvent {
		x.byEvent[c.Event].collect(s, f)
	}
	for _, p := range c.Properties {
		x.byProperty[p].collect(s, f)
	}
	for i, b := range standing {
		s.standing[uint32(b)>>6] |= 1 << (b & 63)
		if g := x.guards[b]; g != noGuard && slices.Contains(c.Properties, g) {
			s.add(standing[i : i+1]) // where the guard is open it is there already, where it was closed before nothing matters
		}
	}
	dst = s.drain(dst, x, f)
	for _, b := range standing {
		s.standing[uint32(b)>>6] = 0
	}
	sieves.Put(s)
	return dst
}

// drain empties the sieve of what was found, and appends what the user stands in or is let through to.
func (s *sieve) drain(dst []Index, x *flat, f *Facts) []Index {
	for g, group := range s.groups {
		for ; group != 0; group &= group - 1 {
			w := g<<6 | bits.TrailingZeros64(group)
			found, standing := s.found[w], s.standing[w]
			dst = slices.Grow(dst, bits.OnesCount64(found))
			for ; found != 0; found &= found - 1 {
				bit := bits.TrailingZeros64(found)
				b := Index(w<<6 | bit)
				kept := len(dst)
				dst = append(dst, b)[:kept+int(x.lets(b, f)|uint32(standing>>bit)&1)] // no branch, as it is as good as random
			}
			s.found[w] = 0
		}
		s.groups[g] = 0
	}
	return dst
}
