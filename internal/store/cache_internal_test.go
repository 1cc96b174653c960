package store

import (
	"fmt"
	"testing"
	"time"
)

// TestCacheForgetsWhoHasNotComeForLongest fills a cache with more users than it has room for, some of whom come back all
// the time.
func TestCacheForgetsWhoHasNotComeForLongest(t *testing.T) {
	t.Parallel()
	const room, users = 10, 100
	size := (&remembered{}).size() + len("user-000")
	c := newCache(room * size)
	remember(c, "user-reg", &remembered{id: -1})
	for i := range users {
		remember(c, fmt.Sprintf("user-%03d", i), &remembered{id: int64(i)})
		if got := c.get("user-reg").known; got == nil || got.id != -1 {
			t.Fatalf("after %d others, a user who comes all the time is remembered as %v", i+1, got)
		}
		if c.bytes > c.most {
			t.Fatalf("%d bytes are in use, more than %d", c.bytes, c.most)
		}
	}
	for i := range users {
		user, want := fmt.Sprintf("user-%03d", i), i > users-room
		if got := c.get(user).known; (got != nil) != want || got != nil && got.id != int64(i) {
			t.Errorf("%s is remembered as %v; want that to be so: %t", user, got, want)
		}
	}
}

// TestCacheCountsBytesOnce remembers the same few users again and again: that must not drive anybody out.
func TestCacheCountsBytesOnce(t *testing.T) {
	t.Parallel()
	const users = 10
	c := newCache(users * ((&remembered{properties: make([]byte, 100)}).size() + len("u0")))
	c.meet(time.Unix(1, 0), true)
	for round := range 100 {
		for i := range users {
			known := &remembered{version: int64(round), properties: make([]byte, round)}
			remember(c, fmt.Sprintf("u%d", i), known)
			remember(c, fmt.Sprintf("u%d", i), known)
		}
		for i := range users {
			if got := c.get(fmt.Sprintf("u%d", i)).known; got == nil || got.version != int64(round) {
				t.Fatalf("in round %d, user %d is remembered as %v", round, i, got)
			}
		}
	}
	seen := c.get("u0")
	for i := range users {
		c.forget(fmt.Sprintf("u%d", i))
	}
	if c.put(seen); c.check(seen, c.number()) {
		t.Error("who was forgotten is trusted")
	}
	if c.bytes != 0 || len(c.entries) != 0 || c.ring.newer != &c.ring || c.ring.older != &c.ring {
		t.Errorf("after all were forgotten, %d bytes and %d users are left", c.bytes, len(c.entries))
	}
}

// TestCacheDoesNotKeepWhatIsTooLarge puts a user into a cache that has no room for even one.
func TestCacheDoesNotKeepWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	c := newCache(10)
	remember(c, "u", &remembered{properties: make([]byte, 100)})
	if got := c.get("u").known; got != nil || c.bytes != 0 {
		t.Errorf("%v is kept, and %d bytes are in use", got, c.bytes)
	}
}

// remember does what a writer does who commits.
func remember(c *cache, user string, known *remembered) {
	g, _ := c.claim(user, false)
	g.known = known
	c.put(g)
}

// TestCacheTrustsNoOld lets two writers of this process come one after the other, in every order in which what they do to the
// cache can mix: whoever has the lock must never trust what was there before the other committed.
func TestCacheTrustsNoOld(t *testing.T) {
	t.Parallel()
	start := time.Unix(1, 0)
	for name, late := range map[string]bool{"put before the next claims": false, "put after the next has put": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCache(1 << 20)
			c.meet(start, true)
			holder := c.number()
			write := func() (put func(*memory)) {
				g, _ := c.claim("ada", false)
				return func(m *memory) {
					g.known, g.memory = &remembered{}, m
					c.put(g)
				}
			}
			old, first, second := &memory{}, &memory{}, &memory{}
			write()(old)
			seen := c.get("ada") // before the lock is taken
			if !c.check(seen, holder) || seen.memory != old {
				t.Fatal("what was left is not trusted")
			}
			putFirst := write()
			if c.check(seen, holder) {
				t.Fatal("what was there before another claimed the user is trusted")
			}
			if got := c.get("ada"); got.memory != nil {
				t.Fatal("what is being changed is there to be seen")
			}
			if late {
				write()(second)
				putFirst(first)
			} else {
				putFirst(first)
				write()(second)
			}
			if got := c.get("ada"); got.memory != second || !c.check(got, holder) {
				t.Fatalf("after both, %p is remembered, want what the second left, %p", got.memory, second)
			}
		})
	}
}

// TestCacheForgetsWithTheServer checks that nothing is trusted that another run of the server has committed, nor anything
// of a server that may lose what it commits.
func TestCacheForgetsWithTheServer(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]struct {
		start int64
		lasts bool
	}{"started anew": {2, true}, "commits do not last": {1, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCache(1 << 20)
			c.meet(time.Unix(1, 0), true)
			holder := c.number()
			g, _ := c.claim("ada", false)
			g.known, g.memory = &remembered{}, &memory{}
			c.put(g)
			seen := c.get("ada")
			c.meet(time.Unix(again.start, 0), again.lasts)
			if c.check(seen, holder) || c.number() == holder {
				t.Errorf("it is trusted: %v, and the engine's number is %d as before", seen, holder)
			}
		})
	}
}

// TestCacheGivesUp lets users come to this engine and to another in turns: then to hold them costs more than it saves. Once
// they are left to this one, they are held again.
func TestCacheGivesUp(t *testing.T) {
	t.Parallel()
	c := newCache(1 << 20)
	c.meet(time.Unix(1, 0), true)
	const theirs = 1
	for range mostCredit {
		c.check(glimpse{memory: &memory{}}, theirs)
	}
	tried := 0
	for range 10 * retryEvery {
		remember(c, "ada", &remembered{})
		if c.worthwhile() {
			tried++
		}
	}
	if tried != 10 {
		t.Errorf("of %d chances, %d were taken, want 10", 10*retryEvery, tried)
	}
	if seen := c.get("ada"); !c.check(seen, c.number()) || !c.worthwhile() {
		t.Error("nobody is held although they are found as they were left")
	}
}
