// Package waitfor is for tests that wait for what another goroutine, or another process, brings
// about. All of them are patient in the same way: however slow the machine, a test fails only by
// what does not happen at all.
package waitfor

import (
	"context"
	"testing"
	"time"
)

// Long is after how long something does not happen at all.
const Long = 2 * time.Minute

// That waits until something holds, and fails the test if it has not for long.
func That(t testing.TB, holds func() bool) {
	t.Helper()
	const every = 2 * time.Millisecond
	deadline := time.After(Long)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it did not come about")
		}
	}
}

// Next waits for what comes next through a channel, and fails the test if nothing has for long, or
// the channel is closed.
func Next[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case next, open := <-from:
		if !open {
			t.Fatal("nothing comes any more")
		}
		return next
	case <-time.After(Long):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// stopper is an engine, or a service beside it.
type stopper interface {
	Stop(ctx context.Context) error
}

// Stop stops something, and fails the test if it does not end for long.
func Stop(t testing.TB, it stopper) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Long) // a test's own context ends before it cleans up
	defer cancel()
	if err := it.Stop(ctx); err != nil {
		t.Error(err)
	}
}
