package engine

import (
	"strconv"
	"testing"
	"time"
)

// TestBatchesAskForMore begins one batch beside another. The time when the last was begun is far ahead, so that nobody loses
// patience.
func TestBatchesAskForMore(t *testing.T) {
	t.Parallel()
	b := newBatcher(1000)
	given := 0
	put := func(n int) {
		t.Helper()
		var items []*item
		for range n {
			given++
			items = append(items, &item{user: strconv.Itoa(given)})
		}
		if !b.put(items) {
			t.Fatal("the batcher is closed")
		}
	}
	begin := func(want int) {
		t.Helper()
		if !b.due() {
			t.Fatalf("no batch is begun for %d items beside %d others", b.eligible, b.writing)
		}
		if got := b.take(); len(got) != want {
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
