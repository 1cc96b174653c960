package usercache

import (
	"fmt"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry/table"
)

// TestCacheEvictsLeastRecentlyUsed fills a cache with more users than fit, and uses one of them all
// the time.
func TestCacheEvictsLeastRecentlyUsed(t *testing.T) {
	t.Parallel()
	const room, users = 10, 100
	size := (&Properties{}).size() + len("user-000")
	c := New(&table.Registry{}, room*size)
	commit(c, "user-reg", &Properties{ContactID: -1})
	for i := range users {
		commit(c, fmt.Sprintf("user-%03d", i), &Properties{ContactID: int64(i)})
		if got := c.View("user-reg").Properties; got == nil || got.ContactID != -1 {
			t.Fatalf("after %d others, the user who is used all the time is cached as %v", i+1, got)
		}
		if c.bytes > c.limit {
			t.Fatalf("%d bytes are in use, more than %d", c.bytes, c.limit)
		}
	}
	for i := range users {
		user, want := fmt.Sprintf("user-%03d", i), i > users-room
		if got := c.View(user).Properties; (got != nil) != want || got != nil && got.ContactID != int64(i) {
			t.Errorf("%s is cached as %v; want it cached: %t", user, got, want)
		}
	}
}

// TestCacheCountsBytesOnce caches the same few users again and again. None of them is evicted.
func TestCacheCountsBytesOnce(t *testing.T) {
	t.Parallel()
	const users = 10
	c := New(&table.Registry{}, users*((&Properties{Raw: make([]byte, 100)}).size()+len("u0")))
	c.ServerStarted(time.Unix(1, 0), true)
	for round := range 100 {
		for i := range users {
			p := &Properties{Version: int64(round), Raw: make([]byte, round)}
			commit(c, fmt.Sprintf("u%d", i), p)
			commit(c, fmt.Sprintf("u%d", i), p)
		}
		for i := range users {
			if got := c.View(fmt.Sprintf("u%d", i)).Properties; got == nil || got.Version != int64(round) {
				t.Fatalf("in round %d, user %d is cached as %v", round, i, got)
			}
		}
	}
	view := c.View("u0")
	claim, _ := c.Claim("u0", false)
	claim.Properties = view.Properties
	for i := range users {
		c.Forget(fmt.Sprintf("u%d", i))
	}
	if claim.Commit(); c.Trusts(view, c.Owner()) || c.View("u0").Properties != nil {
		t.Error("a user who was forgotten is cached")
	}
	if c.bytes != 0 || len(c.entries) != 0 || c.ring.newer != &c.ring || c.ring.older != &c.ring {
		t.Errorf("after all were forgotten, %d bytes and %d users are left", c.bytes, len(c.entries))
	}
}

// TestCacheDoesNotKeepWhatIsTooLarge caches a user in a cache that has no room for even one.
func TestCacheDoesNotKeepWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	c := New(&table.Registry{}, 10)
	commit(c, "u", &Properties{Raw: make([]byte, 100)})
	if got := c.View("u").Properties; got != nil || c.bytes != 0 {
		t.Errorf("%v is kept, and %d bytes are in use", got, c.bytes)
	}
}

// commit goes through the steps of a writer.
func commit(c *Cache, user string, p *Properties) {
	claim, _ := c.Claim(user, false)
	claim.Properties = p
	claim.Commit()
}

// TestClaimInvalidates runs two writers of one process one after the other, in each order that
// their steps can mix in. The holder of the lock never trusts what was cached before the other's
// commit.
func TestClaimInvalidates(t *testing.T) {
	t.Parallel()
	start := time.Unix(1, 0)
	for name, late := range map[string]bool{"first commits before second claims": false, "first commits after second": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := New(&table.Registry{}, 1<<20)
			c.ServerStarted(start, true)
			owner := c.Owner()
			write := func() (commit func(*History)) {
				claim, _ := c.Claim("ada", false)
				return func(h *History) {
					claim.Properties, claim.History = &Properties{}, h
					claim.Commit()
				}
			}
			old, first, second := &History{}, &History{}, &History{}
			write()(old)
			view := c.View("ada") // before the lock is taken
			if !c.Trusts(view, owner) || view.History != old {
				t.Fatal("the history of the last commit is not trusted")
			}
			commitFirst := write()
			if c.Trusts(view, owner) {
				t.Fatal("a view from before a claim is trusted")
			}
			if got := c.View("ada"); got.History != nil {
				t.Fatal("a view has the history of a claimed user")
			}
			if late {
				write()(second)
				commitFirst(first)
			} else {
				commitFirst(first)
				write()(second)
			}
			if got := c.View("ada"); got.History != second || !c.Trusts(got, owner) {
				t.Fatalf("after both, %p is cached, want the history of the second writer, %p", got.History, second)
			}
		})
	}
}

// TestServerStarted checks that nothing is trusted that an earlier run of the server has committed,
// nor anything of a server that may lose commits.
func TestServerStarted(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]struct {
		start   int64
		durable bool
	}{"another start": {2, true}, "commits are not durable": {1, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := New(&table.Registry{}, 1<<20)
			c.ServerStarted(time.Unix(1, 0), true)
			owner := c.Owner()
			claim, _ := c.Claim("ada", false)
			claim.Properties, claim.History = &Properties{}, &History{}
			claim.Commit()
			view := c.View("ada")
			c.ServerStarted(time.Unix(again.start, 0), again.durable)
			if c.Trusts(view, owner) || c.Owner() == owner {
				t.Errorf("%v is trusted, or the owner is %d as before", view, owner)
			}
		})
	}
}

// TestOwningPays alternates users between this engine and another. Owning them costs more than it
// saves then. Once they come to this engine only, it owns them again.
func TestOwningPays(t *testing.T) {
	t.Parallel()
	c := New(&table.Registry{}, 1<<20)
	c.ServerStarted(time.Unix(1, 0), true)
	const other = 1
	for range maxCredit {
		c.Trusts(View{History: &History{}}, other)
	}
	tried := 0
	for range 10 * retryEvery {
		commit(c, "ada", &Properties{})
		if c.OwningPays() {
			tried++
		}
	}
	if tried != 10 {
		t.Errorf("owning paid for %d of %d claims, want 10", tried, 10*retryEvery)
	}
	if view := c.View("ada"); !c.Trusts(view, c.Owner()) || !c.OwningPays() {
		t.Error("owning does not pay although the history is trusted")
	}
}

// TestHasDuringAfter asks what a history has while its user's next transaction changes it, as a
// caller without the lock may. The race detector fails it if both use the same memory.
func TestHasDuringAfter(t *testing.T) {
	t.Parallel()
	for name, complete := range map[string]bool{"complete": true, "incomplete": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &table.Registry{
				Events:  []table.Event{{Name: "seen", Signals: []table.SignalIndex{0}}},
				Signals: []table.Signal{{Event: 0, Newest: 1, Totals: true, Field: table.NoField}},
			}
			h := New(r, 0).NewHistory(complete)
			done := make(chan struct{})
			go func() {
				defer close(done)
				for range 100 {
					h.Has(table.Need{Kind: table.NeedNewest})
					h.Has(table.Need{Kind: table.NeedTotals})
				}
			}()
			facts := r.NewFacts("ada").Complete()
			facts.Add(table.Occurrence{Signal: 0, At: 1})
			after := h.After(&decide.State{Facts: facts})
			<-done
			if got, known := after.Total(0); !known || got.Count != 1 {
				t.Errorf("the total after an occurrence is %v, known: %t", got, known)
			}
		})
	}
}
