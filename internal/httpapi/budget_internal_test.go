package httpapi

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestBudgetIsShared lets one holder take no more than its share, and those who wait go in order.
func TestBudgetIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100, 50)
		var got []string
		want := func(names ...string) {
			t.Helper()
			synctest.Wait()
			if len(got) != len(names) {
				t.Fatalf("got %v, want %v", got, names)
			}
		}
		ask := func(name string, holder int, bytes int64) {
			go func() {
				if _, err := b.wait(t.Context(), time.Hour, holder, bytes); err == nil {
					got = append(got, name)
				}
			}()
			synctest.Wait()
		}
		ask("a", 1, 50)
		want("a")
		ask("a again", 1, 10) // more than the share of 1
		ask("b", 2, 40)
		want("a", "b")
		ask("c", 3, 20) // more than there is
		ask("d", 4, 5)  // would find room, but c was first
		want("a", "b")
		if b.try(5, 20) {
			t.Error("more is taken than there is")
		}
		b.give(2, 40)
		want("a", "b", "c", "d")
		b.give(1, 50)
		want("a", "b", "c", "d", "a again")
		ask("larger than a share", 6, 1000)
		want("a", "b", "c", "d", "a again", "larger than a share")
	})
}

func TestBudgetGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(10, 10)
		if !b.try(1, 10) {
			t.Fatal("there is no room in an empty budget")
		}
		if _, err := b.wait(t.Context(), time.Second, 2, 1); !errors.Is(err, errFull) {
			t.Errorf("got %v, want that it is full", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.wait(ctx, time.Hour, 2, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		b.give(1, 10)
		if b.line.Len() > 0 || b.used > 0 || len(b.holders) > 0 {
			t.Errorf("%d wait, %d are used", b.line.Len(), b.used)
		}
	})
}
