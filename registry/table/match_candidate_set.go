package table

import (
	"math/bits"
	"slices"
	"sync"
)

// sieve is what is found in the course of one search: a bit for each bucket, and a bit for each word of those that is not
// zero, so that what it takes goes by how many are found. They come out sorted.
type candidateSet struct {
	found, memberOf []uint64
	groups          []uint64 // of found
	query           query
}

// sieves are empty.
var candidateSets = sync.Pool{New: func() any { return new(candidateSet) }}

// newSieve returns an empty sieve for so many buckets and properties.
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

// add adds a bucket, if that is 1.
func (s *candidateSet) add(b BucketIndex, one uint32) {
	w := uint32(b) >> 6
	s.found[w] |= uint64(one) << (b & 63)
	s.groups[w>>6] |= uint64(one) << (w & 63)
}

// stands answers 1 if the user stands in a bucket, and else 0.
func (s *candidateSet) isMember(b BucketIndex) uint32 {
	return uint32(s.memberOf[uint32(b)>>6]>>(b&63)) & 1
}

// drain empties the sieve of what was found, and appends what the user stands in or is let through to.
func (s *candidateSet) drain(dst []BucketIndex, x *flat, keys []int32) []BucketIndex {
	for g, group := range s.groups {
		for ; group != 0; group &= group - 1 {
			w := g<<6 | bits.TrailingZeros64(group)
			found := s.found[w]
			dst = slices.Grow(dst, bits.OnesCount64(found))
			for ; found != 0; found &= found - 1 {
				b := BucketIndex(w<<6 | bits.TrailingZeros64(found))
				kept := len(dst)
				dst = append(dst, b)[:kept+int(x.open(b, keys)|s.isMember(b))] // no branch, as it is as good as random
			}
			s.found[w] = 0
		}
		s.groups[g] = 0
	}
	return dst
}
