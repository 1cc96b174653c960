package usercache

// Claim is the right to cache a user as of the end of a transaction. The caller fills it in before
// the transaction commits, and calls Commit after. A claim of a transaction that rolls back is
// dropped.
type Claim struct {
	Properties *Properties
	History    *History // nil if this engine does not own the user's history
	TooLarge   bool

	cache  *Cache
	entry  *entry
	serial uint64
}

// Claim invalidates all views of a user and takes the history out of the cache. The caller holds
// the user's lock and has not committed yet. With onlyCached it makes no claim to a user who is not
// cached, because a job that goes through all users would evict those who come back.
func (c *Cache) Claim(user string, onlyCached bool) (claim Claim, claimed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[user]
	if e == nil {
		if onlyCached {
			return Claim{}, false
		}
		e = c.add(user)
	}
	c.serial++
	e.serial, e.history = c.serial, nil
	c.shrink()
	return Claim{cache: c, entry: e, serial: c.serial}, true
}

// Commit caches what the claim was filled with, unless the user has been claimed again or evicted.
func (claim *Claim) Commit() {
	c, e := claim.cache, claim.entry
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.serial != claim.serial {
		return
	}
	c.use(e)
	size := claim.Properties.size() + claim.History.size() + len(e.user)
	c.bytes += size - e.bytes
	e.properties, e.history, e.tooLarge, e.mergedInto, e.bytes = claim.Properties, claim.History, claim.TooLarge, "", size
	c.shrink()
}
