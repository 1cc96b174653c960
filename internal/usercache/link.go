package usercache

import "github.com/bucketgen/bucketgen/registry/table"

// linkMark stands between the two names of a link, of which the second begins with it, too. No name
// of a contact has it twice in a row behind its beginning, since no value of an id contains it.
const linkMark = '\x01'

// SetLinked remembers that an event of a day with the ids of two names changes nothing about what
// they lead to, while the user of the first has a contact, unless the server may lose what made it
// so.
func (c *Cache) SetLinked(name, other string, day table.Instant, contact int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.durable {
		return
	}
	key := name + string(linkMark) + other
	e := c.entries[key]
	if e == nil {
		e = c.add(key)
	}
	c.use(e)
	e.serial, e.day, e.contact = c.links, day, contact
	c.shrink()
}

// ForgetLinks forgets what SetLinked has remembered of all names: a person was erased, or an id was
// detached, so the id may become another user's. It takes the same time however many there are.
func (c *Cache) ForgetLinks() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.links++
}

// Linked reports whether that is remembered of two names, for a day, and of which contact.
func (c *Cache) Linked(name, other string, day table.Instant) (contact int64, linked bool) {
	var room [128]byte
	key := append(append(append(room[:0], name...), linkMark), other...)
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[string(key)]
	if e == nil || e.serial != c.links || e.day != day {
		return 0, false
	}
	c.use(e)
	return e.contact, true
}

// Known reports whether a user is cached by a name.
func (c *Cache) Known(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[name]
	return e != nil && (e.properties != nil || e.mergedInto != "")
}
