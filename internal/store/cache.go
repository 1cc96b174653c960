package store

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry"
)

// remembered is what is known of a user without asking: their properties as of a version. It is never trusted before
// the lock of the user is held and the version was compared, and never changed.
type remembered struct {
	id         int64
	version    int64
	properties []byte
	values     registry.Values   // of the declared ones
	changes    []registry.Change // of those that have a history
	writtenAt  registry.Instant  // not before the newest date of a value of a declared property
	repeats    []decide.Repeat
}

// glimpse is what the cache has of a user before the lock is taken. The memory is trusted only if, with the lock held, the
// contact bears the number of this engine, and the serial is still the same.
type glimpse struct {
	known  *remembered
	memory *memory
	much   bool   // there is too much to be remembered
	entry  *entry // where it comes from, or goes
	serial uint64
	name   string // of the user into whom this one was merged, unless it is empty: there is nothing else then
}

// cache remembers users who came lately: when there is no more room, whoever has not come for longest is forgotten.
//
// What it remembers is right because of two rules. Before a writer commits, with the lock held, it claims the user: the
// memory is taken from the cache, and whoever has seen it before finds another serial once it has the lock. After the commit
// it puts the memory back as it is now, unless somebody else has claimed the user since. And whoever writes about a user who
// is held by another engine takes the number of that engine off the contact, by the same transaction.
type cache struct {
	mu      sync.Mutex
	entries map[string]*entry
	ring    entry // of all entries: after it comes the one that was used last
	bytes   int   // of all entries, roughly
	most    int
	serial  uint64 // of the last claim; the first is 1

	holder int64     // the engine's number, by which contacts say that it holds them; another for each start of the server
	start  time.Time // of the server
	lasts  bool      // what was committed is never lost
	credit int       // see worthwhile

	renamed atomic.Bool // some user was, which is not so in most places, and then there is nothing to look for
}

type entry struct {
	glimpse
	user         string
	bytes        int
	newer, older *entry
}

func newCache(bytes int) *cache {
	c := &cache{entries: map[string]*entry{}, most: bytes, credit: mostCredit}
	c.ring.newer, c.ring.older = &c.ring, &c.ring
	return c
}

func (c *cache) get(user string) glimpse {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[user]
	if e == nil {
		return glimpse{}
	}
	c.use(e)
	return e.glimpse
}

// claim takes the memory of a user from the cache, whose lock is held, and returns a glimpse to put back, once it has been
// filled with what is true and that is committed. A user whom the cache does not know, and is not to know because they come
// by once, has none.
func (c *cache) claim(user string, once bool) (g glimpse, claimed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[user]
	if e == nil {
		if once {
			return glimpse{}, false
		}
		e = c.add(user)
	}
	c.serial++
	e.serial, e.memory = c.serial, nil
	c.shrink()
	return glimpse{entry: e, serial: c.serial}, true
}

// add makes an entry for a user who has none.
func (c *cache) add(user string) *entry {
	const empty = 200
	e := &entry{user: user, bytes: empty + len(user)}
	e.entry, c.entries[user] = e, e
	c.bytes += e.bytes
	c.link(e)
	return e
}

// rename remembers that a user was merged into another, unless what is committed may be lost.
func (c *cache) rename(user, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.lasts || user == name {
		return
	}
	if e := c.entries[user]; e != nil {
		c.drop(e)
	}
	e := c.add(user)
	e.name, e.bytes, c.bytes = name, e.bytes+len(name), c.bytes+len(name)
	c.serial++
	e.serial = c.serial
	c.renamed.Store(true)
	c.shrink()
}

// name returns the name by which a user goes who was merged, or their own if they were not, or that is not remembered.
func (c *cache) name(user string) string {
	if !c.renamed.Load() {
		return user
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		e := c.entries[user]
		if e == nil || e.name == "" {
			return user
		}
		c.use(e)
		user = e.name // who may have been merged since, too
	}
}

// put remembers a user as of a claim, unless there was another since.
func (c *cache) put(g glimpse) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := g.entry
	if e.serial != g.serial {
		return
	}
	c.use(e)
	size := g.known.size() + g.memory.size() + len(e.user)
	c.bytes += size - e.bytes
	e.glimpse, e.bytes = g, size
	c.shrink()
}

func (c *cache) shrink() {
	for c.bytes > c.most {
		c.drop(c.ring.newer)
	}
}

// meet tells the cache by which start of the server a transaction runs, and whether what is committed there lasts. A server
// that was started anew may be one that has lost something: what is remembered is forgotten, and no contact bears the
// engine's new number. It reports whether that is so.
func (c *cache) meet(start time.Time, lasts bool) (anew bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lasts = lasts
	if c.holder != 0 && c.start.Equal(start) {
		return false
	}
	c.start, c.holder = start, 1+rand.Int64N(1<<62) //nolint:gosec // it has to be another, not a secret
	for c.ring.newer != &c.ring {
		c.drop(c.ring.newer)
	}
	return true
}

// number returns the number by which contacts say that the engine holds them, or 0 if it cannot hold any.
func (c *cache) number() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.lasts {
		return 0
	}
	return c.holder
}

// check reports whether a memory can be trusted, with the lock of the user held: its contact says who holds it.
func (c *cache) check(g glimpse, holder int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g.entry == nil || g.entry.serial != g.serial || holder != c.holder || !c.lasts {
		if holder != c.holder {
			c.credit = max(c.credit-lossCost, 0)
		}
		return false
	}
	c.credit = min(c.credit+1, mostCredit)
	return true
}

// To hold a user costs a write, and so it does to lose one to another engine. That pays if users are found as they were left
// a few times as often; where they come to one engine after the other, holding them is only tried now and then.
const (
	mostCredit = 1000
	lossCost   = 4
	retryEvery = 32
)

// worthwhile reports whether it pays to hold more users.
func (c *cache) worthwhile() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.credit > 0 || c.serial%retryEvery == 0
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

// drop forgets an entry. Whoever has a glimpse of it finds that it is gone.
func (c *cache) drop(e *entry) {
	e.unlink()
	delete(c.entries, e.user)
	c.bytes -= e.bytes
	e.serial = gone
}

// gone is the serial of entries that the cache has no more.
const gone = 0

// size is roughly how much memory it takes.
func (r *remembered) size() int {
	const fixed, change, repeat = 332, 72, 24
	n := fixed + len(r.properties) + r.values.Size() + change*len(r.changes) + repeat*cap(r.repeats)
	for i := range r.changes {
		n += r.changes[i].Was.Size()
	}
	return n
}
