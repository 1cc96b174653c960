package usercache

// SetMerged remembers that a user was merged into another, unless the server may lose that commit.
func (c *Cache) SetMerged(user, into string) {
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
	c.serial++
	e.serial = c.serial
	c.merged.Store(true)
	c.shrink()
}

// Canonical returns the user whom a user was merged into, as far as that is cached, or the user.
func (c *Cache) Canonical(user string) string {
	if !c.merged.Load() {
		return user
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		e := c.entries[user]
		if e == nil || e.mergedInto == "" {
			return user
		}
		c.use(e)
		user = e.mergedInto // which may have been merged since
	}
}
