package registry

import "sync"

// sieve is what is found in the course of one search: a bit for each bucket, and a bit for each word of those that is not
// zero, so that what it takes goes by how many are found. They come out sorted.
type sieve struct {
	found, standing []uint64
	groups          []uint64 // of found
}

// sieves are empty.
var sieves = sync.Pool{New: func() any { return new(sieve) }}

// newSieve returns an empty sieve for so many buckets.
func newSieve(buckets int) *sieve {
	s := sieves.Get().(*sieve) //nolint:forcetypeassert // nothing else is put there
	if words := buckets>>6 + 1; len(s.found) < words {
		s.found, s.standing, s.groups = make([]uint64, words), make([]uint64, words), make([]uint64, words>>6+1)
	}
	return s
}

func (s *sieve) add(buckets []Index) {
	for _, b := range buckets {
		w := uint32(b) >> 6
		s.found[w] |= 1 << (b & 63)
		s.groups[w>>6] |= 1 << (w & 63)
	}
}
