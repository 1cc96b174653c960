//go:build studio

package studio_test

import (
	"os"
	"testing"
	"time"
)

// waitForFile waits until a file is there, and removes it.
func waitForFile(t *testing.T, name string) {
	t.Helper()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if os.Remove(name) == nil {
				return
			}
		case <-t.Context().Done():
			return
		}
	}
}
