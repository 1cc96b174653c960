package lookup

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/bucketgen/bucketgen/registry/table"
)

// memory is the users who are remembered, in parts, so that those who ask seldom wait for those who
// change something.
type memory struct {
	seed  maphash.Seed
	parts []part
}

// part is some of the users, in a ring. When there is no more room, a hand goes round it: it passes
// over those who were asked for since it came by last, and the first who was not is forgotten.
type part struct {
	mu    sync.RWMutex
	users map[string]*remembered
	ring  []*remembered
	hand  int
	most  int
	gone  uint64 // gone counts drops: a user who was read before a drop is not cached after it

	hits, misses atomic.Int64
	_            [64]byte // keeps the counters of parts apart in the caches of processors
}

// remembered is a user. What they are in never changes; it is replaced.
type remembered struct {
	user  string
	in    []table.BucketIndex // sorted
	place int                 // in the ring
	used  atomic.Bool
}

// longest is how many bytes the id of a user may have. A user with a longer one is in no bucket and
// is not cached.
const longest = 255

func newMemory(most int) *memory {
	m := &memory{seed: maphash.MakeSeed(), parts: make([]part, min(most, 64))}
	for i := range m.parts {
		m.parts[i].users = map[string]*remembered{}
		m.parts[i].most = (most + i) / len(m.parts) // the sum is most
	}
	return m
}

func (m *memory) part(user string) *part {
	return &m.parts[maphash.String(m.seed, user)%uint64(len(m.parts))]
}

// has reports whether a user is in a bucket, if they are remembered.
func (m *memory) has(user string, b table.BucketIndex) (has, known bool) {
	in, known := m.get(user)
	return known && holds(in, b), known
}

// get returns what a user is in, if they are remembered.
func (m *memory) get(user string) (in []table.BucketIndex, known bool) {
	p := m.part(user)
	p.mu.RLock()
	r := p.users[user]
	p.mu.RUnlock()
	if r == nil {
		p.misses.Add(1)
		return nil, false
	}
	p.hits.Add(1)
	if !r.used.Load() {
		r.used.Store(true)
	}
	return r.in, true
}

// drops returns how often an entry was dropped that may be that of a user.
func (m *memory) drops(user string) uint64 {
	p := m.part(user)
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.gone
}

// put remembers what a user is in, unless they may have been dropped since they were read.
func (m *memory) put(user string, in []table.BucketIndex, gone uint64) {
	p := m.part(user)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone != gone || len(user) > longest {
		return
	}
	r := &remembered{user: user, in: in}
	switch old := p.users[user]; {
	case old != nil:
		r.place = old.place
		p.ring[r.place] = r
	case len(p.ring) < p.most:
		r.place = len(p.ring)
		p.ring = append(p.ring, r)
	default:
		for p.ring[p.hand].used.Swap(false) {
			p.hand = (p.hand + 1) % len(p.ring)
		}
		delete(p.users, p.ring[p.hand].user)
		r.place = p.hand
		p.ring[p.hand] = r
		p.hand = (p.hand + 1) % len(p.ring)
	}
	p.users[user] = r
}

// drop forgets a user.
func (m *memory) drop(user string) {
	p := m.part(user)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone++
	r := p.users[user]
	if r == nil {
		return
	}
	delete(p.users, user)
	last := len(p.ring) - 1
	p.ring[r.place] = p.ring[last]
	p.ring[r.place].place = r.place
	p.ring[last] = nil
	p.ring = p.ring[:last]
	if p.hand >= last {
		p.hand = 0
	}
}

// clear forgets everybody.
func (m *memory) clear() {
	for i := range m.parts {
		p := &m.parts[i]
		p.mu.Lock()
		p.gone++
		clear(p.users)
		clear(p.ring)
		p.ring, p.hand = p.ring[:0], 0
		p.mu.Unlock()
	}
}

func (m *memory) stats() Stats {
	var s Stats
	for i := range m.parts {
		p := &m.parts[i]
		p.mu.RLock()
		s.Users += len(p.users)
		p.mu.RUnlock()
		s.Hits += p.hits.Load()
		s.Misses += p.misses.Load()
	}
	return s
}
