package batch_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/bucketgen/bucketgen/internal/batch"
)

type item struct {
	user  string
	no    int // among those of the user
	place int
}

func (it *item) User() string   { return it.user }
func (it *item) SetPlace(n int) { it.place = n }

// TestItemsOfAUserStayInOrder puts items from several goroutines, and puts off each third batch's
// first user. Every item is done once, those of a user one after the other and in their order, and
// Take ends when all are done.
func TestItemsOfAUserStayInOrder(t *testing.T) { //nolint:gocognit // one scenario
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const callers, users, each = 4, 3, 200
		b := batch.New[*item](50)
		var mu sync.Mutex
		done, busy, batches := map[string]int{}, map[string]bool{}, 0
		write := func(items []*item) (putOff []*item) {
			mu.Lock()
			batches++
			late := ""
			if batches%3 == 0 {
				late = items[0].user
			}
			for _, it := range items {
				if busy[it.user] {
					t.Errorf("user %s is in two batches", it.user)
				}
			}
			for _, it := range items {
				busy[it.user] = true
			}
			mu.Unlock()
			runtime.Gosched()
			mu.Lock()
			defer mu.Unlock()
			for _, it := range items {
				busy[it.user] = false
				if it.user == late {
					putOff = append(putOff, it)
					continue
				}
				if it.no != done[it.user] {
					t.Errorf("item %d of user %s was done after %d", it.no, it.user, done[it.user])
				}
				done[it.user]++
			}
			return putOff
		}
		var flushers, putters sync.WaitGroup
		for range 2 {
			flushers.Go(func() {
				for items := b.Take(); items != nil; items = b.Take() {
					b.GiveBack(items, write(items))
				}
			})
		}
		for c := range callers {
			putters.Go(func() {
				for no := range each {
					var items []*item
					for u := range users {
						items = append(items, &item{user: fmt.Sprint(c, "-", u), no: no})
					}
					if !b.Put(items) {
						t.Error("the batcher is closed")
					}
				}
			})
		}
		putters.Wait()
		b.Close()
		flushers.Wait()
		if b.Put([]*item{{user: "late"}}) {
			t.Error("a batcher that is closed takes items")
		}
		for c := range callers {
			for u := range users {
				if user := fmt.Sprint(c, "-", u); done[user] != each {
					t.Errorf("%d items of user %s were done, want %d", done[user], user, each)
				}
			}
		}
	})
}

func TestCallEndsWithItsLastItem(t *testing.T) {
	t.Parallel()
	var c batch.Call
	c.Init(1)
	c.Add()
	c.Finish()
	select {
	case <-c.Done():
		t.Fatal("the call ended before its last item")
	default:
	}
	c.Finish()
	<-c.Done()
}
