// Package repotest is for tests that run go commands on this repository.
package repotest

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// DependOn makes the result of a test depend on all files in a directory of the repository. The go
// command caches results by the files that the test itself reads, and does not see those of its
// commands: without this, a test of other packages would count as passed although they changed.
func DependOn(t testing.TB, dir string) {
	t.Helper()
	// Listing a directory makes the result depend on the size and time of everything in it.
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path != dir && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
