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

// cache remembers users who came lately: when there is no more room, whoever has not come for longest is forgotten.
type cache struct {
	mu      sync.Mutex
	entries map[string]*entry
	ring    entry // of all entries: after it comes the one that was used last
	bytes   int   // of all entries, roughly
	most    int
}

type entry struct {
	user         string
	known        *remembered
	bytes        int
	newer, older *entry
}

func newCache(bytes int) *cache {
	c := &cache{entries: map[string]*entry{}, most: bytes}
	c.ring.newer, c.ring.older = &c.ring, &c.ring
	return c
}

func (c *cache) get(user string) *remembered {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[user]
	if e == nil {
		return nil
	}
	c.use(e)
	return e.known
}

func (c *cache) put(user string, r *remembered) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[user]
	if e == nil {
		e = &entry{user: user}
		c.entries[user] = e
		c.link(e)
	} else {
		c.use(e)
	}
	if e.known == r {
		return
	}
	size := r.size() + len(user)
	c.bytes += size - e.bytes
	e.known, e.bytes = r, size
	for c.bytes > c.most {
		c.drop(c.ring.newer)
	}
}

func (c *cache) forget(user string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[user]; e != nil {
		c.drop(e)
	}
}

// use makes an entry the one that was used last.
func (c *cache) use(e *entry) {
	e.unlink()
	c.link(e)
}

func (c *cache) link(e *entry) {
	e.newer, e.older = &c.ring, c.ring.older
	e.newer.older, e.older.newer = e, e
}

func (e *entry) unlink() { e.newer.older, e.older.newer = e.older, e.newer }

func (c *cache) drop(e *entry) {
	e.unlink()
	delete(c.entries, e.user)
	c.bytes -= e.bytes
}

// size is roughly how much memory it takes.
func (r *remembered) size() int {
	const fixed, value, change = 300, 48, 72
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
