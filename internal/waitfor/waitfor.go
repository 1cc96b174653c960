// Package waitfor is for tests that wait for what another goroutine, or another process, brings about.
package waitfor

import (
	"testing"
	"time"
)

// That waits until something holds, and fails the test if it has not for long.
func That(t testing.TB, holds func() bool) {
	t.Helper()
	const long, every = 20 * time.Second, 2 * time.Millisecond
	deadline := time.After(long)
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
