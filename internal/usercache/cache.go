package usercache

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/bucketgen/bucketgen/registry/table"
)

// Cache holds users up to a size. When it is full, it evicts the least recently used one. Its
// methods may be called from several goroutines.
type Cache struct {
	registry *table.Registry
	texts    texts
	complete bool // see Complete

	mu      sync.Mutex
	entries map[string]*entry
	ring    entry // ring links all entries; ring.older was used most recently
	bytes   int   // bytes is the estimated size of all entries
	limit   int   // limit is the most that bytes may be
	serial  uint64
	links   uint64 // links is the serial of links that are still true, see ForgetLinks

	owner   int64     // owner is the number of this engine; 0 before ServerStarted
	start   time.Time // start is when the server was started
	durable bool      // durable says that a server never loses what it has committed
	credit  int       // credit is explained at OwningPays

	merged atomic.Bool // merged is set once a user was merged; Canonical takes no lock before
}

// View is what the cache has of a user. The history in it may be used if [Cache.Trusts] says so.
type View struct {
	Properties *Properties // nil if the user is not cached
	History    *History    // nil if the user has none in the cache
	TooLarge   bool        // TooLarge says that the user has too much history to be cached

	entry  *entry
	serial uint64 // serial is that of the entry when the view was made
}

type entry struct {
	user       string
	properties *Properties
	history    *History
	tooLarge   bool
	serial     uint64        // serial numbers the claim that wrote the entry last, or is evicted; of a link it is Cache.links
	mergedInto string        // mergedInto is the user whom this one was merged into; or empty
	contact    int64         // contact is of a link, or a merge: the one of the user
	day        table.Instant // day is when a link holds: ids are seen by the day
	bytes      int

	newer, older *entry
}

// evicted is the serial of entries that are no longer in the cache. The first claim has number 1.
const evicted = 0

// New returns an empty cache for the users of a registry. It holds users up to an
// estimated size in bytes.
func New(r *table.Registry, bytes int) *Cache {
	c := &Cache{
		registry: r, texts: textsOf(r), complete: isComplete(r),
		entries: map[string]*entry{}, limit: bytes, credit: maxCredit,
	}
	c.ring.newer, c.ring.older = &c.ring, &c.ring
	return c
}

// View returns what is cached of a user.
func (c *Cache) View(user string) View {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[user]
	if e == nil {
		return View{}
	}
	c.use(e)
	return View{Properties: e.properties, History: e.history, TooLarge: e.tooLarge, entry: e, serial: e.serial}
}

// Trusts reports whether the history of a view is true. The caller holds the user's lock; owner is
// what the contact says.
func (c *Cache) Trusts(v View, owner int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v.entry == nil || v.entry.serial != v.serial || owner != c.owner || !c.durable {
		if owner != c.owner {
			c.credit = max(c.credit-lossCost, 0)
		}
		return false
	}
	c.credit = min(c.credit+1, maxCredit)
	return true
}

// Forget removes a user from the cache, and reports whether it was there.
func (c *Cache) Forget(user string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[user]
	if e != nil {
		c.evict(e)
	}
	return e != nil
}

// add makes an entry for a user who has none.
func (c *Cache) add(user string) *entry {
	const empty = 200
	e := &entry{user: user, bytes: empty + len(user)}
	c.entries[user] = e
	c.bytes += e.bytes
	c.link(e)
	return e
}

func (c *Cache) shrink() {
	for c.bytes > c.limit {
		c.evict(c.ring.newer)
	}
}

// evict removes an entry and invalidates its views.
func (c *Cache) evict(e *entry) {
	e.unlink()
	delete(c.entries, e.user)
	c.bytes -= e.bytes
	e.serial = evicted
}

// use makes an entry the most recently used one.
func (c *Cache) use(e *entry) {
	e.unlink()
	c.link(e)
}

func (c *Cache) link(e *entry) {
	e.newer, e.older = &c.ring, c.ring.older
	e.newer.older, e.older.newer = e, e
}

func (e *entry) unlink() { e.newer.older, e.older.newer = e.older, e.newer }
