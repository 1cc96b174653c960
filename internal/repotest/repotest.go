// Package repotest is for tests that run go commands on this repository.
package repotest

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// DependOn makes the result of a test depend on all that is in a directory of the repository. The go command caches
// results by what a test itself looks at, and does not see what its commands do: without this, a test of other packages
// counts as passed though they changed.
func DependOn(t testing.TB, dir string) {
	t.Helper()
	// To list a directory is to look at the size and time of everything in it.
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
