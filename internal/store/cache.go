package store

import (
	"sync"

	"github.com/bucketgen/bucketgen/registry"
)

// remembered is what is known of a user without asking: their properties as of a version. It is never trusted before
// the lock of the user is held and the version was compared, and never changed.
type remembered struct {
	id         int64
	version    int64
	properties []byte
	values     []registry.Value  // of the declared ones
	changes    []registry.Change // of those that have a history
}

// cache remembers users who came lately. It has two generations: what is used moves into the young one, and when that is
// full, it becomes the old one and what was old is forgotten.
type cache struct {
	mu         sync.Mutex
	young, old map[string]*remembered
	bytes      int // in the young generation, roughly
	most       int
}

func newCache(bytes int) *cache {
	return &cache{young: map[string]*remembered{}, most: bytes / 2}
}

func (c *cache) get(user string) *remembered {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.young[user]; r != nil {
		return r
	}
	r := c.old[user]
	if r != nil {
		delete(c.old, user)
		c.add(user, r)
	}
	return r
}

func (c *cache) put(user string, r *remembered) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.old, user)
	c.add(user, r)
}

func (c *cache) forget(user string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.old, user)
	delete(c.young, user)
}

func (c *cache) add(user string, r *remembered) {
	c.young[user] = r
	if c.bytes += r.size(); c.bytes > c.most {
		c.young, c.old, c.bytes = map[string]*remembered{}, c.young, 0
	}
}

// size is roughly how much memory it takes.
func (r *remembered) size() int {
	const fixed, value, change = 200, 56, 72
	n := fixed + len(r.properties) + value*len(r.values) + change*len(r.changes)
	for i := range r.values {
		n += sizeOf(&r.values[i])
	}
	for i := range r.changes {
		n += sizeOf(&r.changes[i].Was)
	}
	return n
}

// sizeOf is how much memory a value takes beside itself.
func sizeOf(v *registry.Value) int {
	const elements, text = 48, 16
	n := len(v.Text)
	if v.Elements != nil {
		n += elements
		for _, s := range v.Elements.Texts {
			n += text + len(s)
		}
	}
	return n
}
