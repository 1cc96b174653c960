package ingest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// TestRoomIsBounded asks for room by number and by bytes.
func TestRoomIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			name         string
			items, bytes int // that ask for room beside 2 items of 60 bytes
			waits        bool
		}{
			{"fits", 1, 40, false},
			{"one item too many", 2, 2, true},
			{"one byte too many", 1, 41, true},
			{"more than there ever is", 1, 1000, true},
		} {
			r := newRoom(3, 100)
			if err := r.acquire(t.Context(), 2, 60); err != nil {
				t.Fatal(err)
			}
			entered := false
			go func() { entered = r.acquire(t.Context(), c.items, c.bytes) == nil }()
			synctest.Wait()
			if entered == c.waits {
				t.Errorf("%s: got room at once: %t, want %t", c.name, entered, !c.waits)
			}
			r.release(2, 60)
			synctest.Wait()
			if !entered || r.waiting() != c.items {
				t.Errorf("%s: got room in the end: %t, with %d items; want %d", c.name, entered, r.waiting(), c.items)
			}
		}
	})
}

// TestRoomInOrder lets callers wait for each other: a large one is not passed by small ones, and
// one that gives up delays no other.
func TestRoomInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(4, 100)
		if err := r.acquire(t.Context(), 3, 1); err != nil {
			t.Fatal(err)
		}
		ctx, giveUp := context.WithCancel(t.Context())
		var large, small error
		smallDone := false
		go func() { large = r.acquire(ctx, 4, 1) }()
		synctest.Wait()
		go func() { small, smallDone = r.acquire(t.Context(), 1, 1), true }()
		synctest.Wait()
		if smallDone || r.fits(1) {
			t.Error("a small one passed a large one that came before")
		}
		giveUp()
		synctest.Wait()
		if !errors.Is(large, context.Canceled) || !smallDone || small != nil || r.waiting() != 4 {
			t.Errorf("got %v and %v, %d items; want the large one canceled and room for the small one", large, small, r.waiting())
		}
	})
}
