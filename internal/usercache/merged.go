package usercache

// SetMerged remembers that a user was merged into another, who has a contact, unless the server may
// lose that commit.
func (c *Cache) SetMerged(user, into string, contact int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.durable || user == into {
		return
	}
	if e := c.entries[user]; e != nil {
		c.evict(e)
	}
	e := c.add(user)
	e.mergedInto, e.bytes, c.bytes = into, e.bytes+len(into), c.bytes+len(into)
	e.contact = contact
	c.serial++
	e.serial = c.serial
	c.merged.Store(true)
	c.shrink()
}

// Canonical returns the user whom a user was merged into, with the contact, as far as that is
// cached, or the user, and 0.
func (c *Cache) Canonical(user string) (name string, contact int64) {
	if !c.merged.Load() {
		return user, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		e := c.entries[user]
		if e == nil || e.mergedInto == "" {
			return user, contact
		}
		c.use(e)
		user, contact = e.mergedInto, e.contact // which may have been merged since
	}
}
