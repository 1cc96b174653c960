package batch

import (
	"strconv"
	"testing"
	"time"
)

// event is an item of a user.
type event struct {
	user  string
	place int
}

func (e *event) User() string   { return e.user }
func (e *event) SetPlace(n int) { e.place = n }

// TestBatchesAskForMore begins one batch beside another. The time when the last was begun is far
// ahead, so that no patience runs out.
func TestBatchesAskForMore(t *testing.T) {
	t.Parallel()
	b := New[*event](1000)
	given := 0
	put := func(n int) {
		t.Helper()
		var items []*event
		for range n {
			given++
			items = append(items, &event{user: strconv.Itoa(given)})
		}
		if !b.Put(items) {
			t.Fatal("the batcher is closed")
		}
	}
	begin := func(want int) {
		t.Helper()
		if !b.due() {
			t.Fatalf("no batch is begun for %d items beside %d others", b.eligible, b.writing)
		}
		if got := b.Take(); len(got) != want {
			t.Errorf("got a batch of %d items, want %d", len(got), want)
		}
		b.began = time.Now().Add(time.Hour)
	}
	put(1)
	begin(1)
	for beside := 1; beside <= 3; beside++ {
		put(beside*worthIt - 1)
		if b.due() {
			t.Errorf("a batch is begun for %d items beside %d others", b.eligible, b.writing)
		}
		put(1)
		begin(beside * worthIt)
	}
	put(1)
	b.began = time.Now().Add(-patience)
	begin(1)
}
