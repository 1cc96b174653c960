package registry

import (
	"math/bits"
	"slices"
	"sync"
)

// sieve is what is found in the course of one search: a bit for each bucket, and a bit for each word of those that is not
// zero, so that what it takes goes by how many are found. They come out sorted.
type sieve struct {
	found, standing []uint64
	groups          []uint64 // of found
	quest           quest
}

// sieves are empty.
var sieves = sync.Pool{New: func() any { return new(sieve) }}

// newSieve returns an empty sieve for so many buckets and properties.
func newSieve(buckets, properties int) *sieve {
	s := sieves.Get().(*sieve) //nolint:forcetypeassert // nothing else is put there
	if words := buckets>>6 + 1; len(s.found) < words {
		s.found, s.standing, s.groups = make([]uint64, words), make([]uint64, words), make([]uint64, words>>6+1)
	}
	if words := properties>>6 + 1; len(s.quest.carried) < words {
		s.quest.carried, s.quest.guards = make([]uint64, words), make([]int32, words<<6)
	}
	return s
}

// add adds a bucket, if that is 1.
func (s *sieve) add(b Index, one uint32) {
	w := uint32(b) >> 6
	s.found[w] |= uint64(one) << (b & 63)
	s.groups[w>>6] |= uint64(one) << (w & 63)
}

// stands answers 1 if the user stands in a bucket, and else 0.
func (s *sieve) stands(b Index) uint32 {
	return uint32(s.standing[uint32(b)>>6]>>(b&63)) & 1
}

// drain empties the sieve of what was found, and appends what the user stands in or is let through to.
func (s *sieve) drain(dst []Index, x *flat, keys []int32) []Index {
	for g, group := range s.groups {
		for ; group != 0; group &= group - 1 {
			w := g<<6 | bits.TrailingZeros64(group)
			found := s.found[w]
			dst = slices.Grow(dst, bits.OnesCount64(found))
			for ; found != 0; found &= found - 1 {
				b := Index(w<<6 | bits.TrailingZeros64(found))
				kept := len(dst)
				dst = append(dst, b)[:kept+int(x.open(b, keys)|s.stands(b))] // no branch, as it is as good as random
			}
			s.found[w] = 0
		}
		s.groups[g] = 0
	}
	return dst
}
