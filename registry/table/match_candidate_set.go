package table

import (
	"math/bits"
	"slices"
	"sync"
)

// candidateSet holds the candidates of one search: a bit per bucket in found, and a bit in groups
// per word of found that is not zero. Reading it costs as much as there are candidates, and gives
// them sorted.
type candidateSet struct {
	found, memberOf []uint64
	groups          []uint64 // of found
	query           query
}

// candidateSets pools empty sets.
var candidateSets = sync.Pool{New: func() any { return new(candidateSet) }}

// newCandidateSet returns an empty set for a number of buckets and properties.
func newCandidateSet(buckets, properties int) *candidateSet {
	s := candidateSets.Get().(*candidateSet) //nolint:forcetypeassert // nothing else is put there
	if words := buckets>>6 + 1; len(s.found) < words {
		s.found, s.memberOf, s.groups = make([]uint64, words), make([]uint64, words), make([]uint64, words>>6+1)
	}
	if words := properties>>6 + 1; len(s.query.changed) < words {
		s.query.changed, s.query.guards = make([]uint64, words), make([]int32, words<<6)
	}
	return s
}

// add adds a bucket if one is 1.
func (s *candidateSet) add(b BucketIndex, one uint32) {
	w := uint32(b) >> 6
	s.found[w] |= uint64(one) << (b & 63)
	s.groups[w>>6] |= uint64(one) << (w & 63)
}

// isMember returns 1 if the user is a member of a bucket or blocked from it, and else 0.
func (s *candidateSet) isMember(b BucketIndex) uint32 {
	return uint32(s.memberOf[uint32(b)>>6]>>(b&63)) & 1
}

// drain empties the set. It appends the candidates whose tests the codes pass, or which the user is
// a member of.
func (s *candidateSet) drain(dst []BucketIndex, x *flat, codes []int32) []BucketIndex {
	for g, group := range s.groups {
		for ; group != 0; group &= group - 1 {
			w := g<<6 | bits.TrailingZeros64(group)
			found := s.found[w]
			dst = slices.Grow(dst, bits.OnesCount64(found))
			for ; found != 0; found &= found - 1 {
				b := BucketIndex(w<<6 | bits.TrailingZeros64(found))
				kept := len(dst)
				// No branch: it would be unpredictable.
				dst = append(dst, b)[:kept+int(x.open(b, codes)|s.isMember(b))]
			}
			s.found[w] = 0
		}
		s.groups[g] = 0
	}
	return dst
}
