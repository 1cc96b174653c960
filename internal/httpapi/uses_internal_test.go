package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestUses writes the use of each key once a minute, those that come during a write together, and
// goes on after a write that failed.
func TestUses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var written [][]int32
		var fails error
		goOn := make(chan struct{}, 100)
		u := newUses(keys{}, slog.New(slog.DiscardHandler))
		u.write = func(_ context.Context, numbers []int32) error {
			written = append(written, slices.Sorted(slices.Values(numbers)))
			<-goOn
			return fails
		}
		u.note(1)
		synctest.Wait() // the first write is under way
		for range 3 {
			for no := range 4 {
				u.note(no)
			}
		}
		goOn <- struct{}{}
		goOn <- struct{}{}
		synctest.Wait()
		is := func(want ...[]int32) {
			t.Helper()
			if !slices.EqualFunc(written, want, slices.Equal) {
				t.Errorf("written is %v, want %v", written, want)
			}
		}
		is([]int32{1}, []int32{0, 2, 3})
		<-time.After(59 * time.Second)
		u.note(1)
		synctest.Wait()
		is([]int32{1}, []int32{0, 2, 3})
		<-time.After(time.Second)
		fails = errors.New("read-only")
		goOn <- struct{}{}
		u.note(1)
		synctest.Wait()
		u.note(1)
		synctest.Wait()
		is([]int32{1}, []int32{0, 2, 3}, []int32{1})
		<-time.After(time.Minute)
		goOn <- struct{}{}
		u.note(1)
		synctest.Wait()
		is([]int32{1}, []int32{0, 2, 3}, []int32{1}, []int32{1})
	})
}
