//go:build studio && screenshots

package studio_test

import (
	"os"
	"testing"
)

// TestScreenshots takes the pictures of README and docs, and writes them into the folder that
// SCREENSHOTS names.
func TestScreenshots(t *testing.T) {
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		t.Fatal("SCREENSHOTS names no folder; run make screenshots")
	}
	run(t, newWorld(t, 1), "screenshots.mjs", folder)
}
