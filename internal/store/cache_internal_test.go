package store

import (
	"fmt"
	"testing"
)

// TestCacheForgetsWhoHasNotComeForLongest fills a cache with more users than it has room for, some of whom come back all
// the time.
func TestCacheForgetsWhoHasNotComeForLongest(t *testing.T) {
	t.Parallel()
	const room, users = 10, 100
	size := (&remembered{}).size() + len("user-000")
	c := newCache(room * size)
	c.put("user-reg", &remembered{id: -1})
	for i := range users {
		c.put(fmt.Sprintf("user-%03d", i), &remembered{id: int64(i)})
		if got := c.get("user-reg"); got == nil || got.id != -1 {
			t.Fatalf("after %d others, a user who comes all the time is remembered as %v", i+1, got)
		}
		if c.bytes > c.most {
			t.Fatalf("%d bytes are in use, more than %d", c.bytes, c.most)
		}
	}
	for i := range users {
		user, want := fmt.Sprintf("user-%03d", i), i > users-room
		if got := c.get(user); (got != nil) != want || got != nil && got.id != int64(i) {
			t.Errorf("%s is remembered as %v; want that to be so: %t", user, got, want)
		}
	}
}

// TestCacheCountsBytesOnce remembers the same few users again and again: that must not drive anybody out.
func TestCacheCountsBytesOnce(t *testing.T) {
	t.Parallel()
	const users = 10
	c := newCache(users * ((&remembered{properties: make([]byte, 100)}).size() + len("u0")))
	for round := range 100 {
		for i := range users {
			known := &remembered{version: int64(round), properties: make([]byte, round)}
			c.put(fmt.Sprintf("u%d", i), known)
			c.put(fmt.Sprintf("u%d", i), known)
		}
		for i := range users {
			if got := c.get(fmt.Sprintf("u%d", i)); got == nil || got.version != int64(round) {
				t.Fatalf("in round %d, user %d is remembered as %v", round, i, got)
			}
		}
	}
	for i := range users {
		c.forget(fmt.Sprintf("u%d", i))
	}
	if c.bytes != 0 || len(c.entries) != 0 || c.ring.newer != &c.ring || c.ring.older != &c.ring {
		t.Errorf("after all were forgotten, %d bytes and %d users are left", c.bytes, len(c.entries))
	}
}

// TestCacheDoesNotKeepWhatIsTooLarge puts a user into a cache that has no room for even one.
func TestCacheDoesNotKeepWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	c := newCache(10)
	c.put("u", &remembered{properties: make([]byte, 100)})
	if got := c.get("u"); got != nil || c.bytes != 0 {
		t.Errorf("%v is kept, and %d bytes are in use", got, c.bytes)
	}
}
