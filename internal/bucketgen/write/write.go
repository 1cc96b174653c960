// Package write puts generated files where they belong: all of them or none. It touches only what
// differs, so that builds stay warm, and only what bucketgen wrote, so that files written by hand
// may live beside them.
package write

import (
	"bytes"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Tree is a directory as it should be: its generated files, by name.
type Tree struct {
	Dir   string
	Files map[string][]byte
	// Header is the line that every generated file begins with. A file without it is not ours.
	Header string
}

// change is a file that differs from what it should be. A nil slice stands for no file. Lines of
// the old one may end as Git has them end on Windows, which is no difference.
type change struct {
	name     string
	old, new []byte
}

// Write makes the directory what it should be and reports whether anything had to be done.
func (t Tree) Write() (changed bool, err error) {
	changes, err := t.changes()
	if err != nil || len(changes) == 0 {
		return false, err
	}
	if err := os.MkdirAll(t.Dir, 0o755); err != nil {
		return false, err
	}
	// Whatever takes space or time is done before the first file changes.
	temporary := make([]string, len(changes))
	defer func() {
		for _, file := range temporary {
			_ = os.Remove(file) // is no longer there if all went well
		}
	}()
	for i, c := range changes {
		if c.new == nil {
			continue
		}
		if temporary[i], err = t.writeTemporary(c.new); err != nil {
			return false, err
		}
	}
	for i, c := range changes {
		target := filepath.Join(t.Dir, c.name)
		if c.new == nil {
			err = os.Remove(target)
		} else {
			err = os.Rename(temporary[i], target)
		}
		if err != nil {
			return false, errors.Join(err, t.undo(changes[:i]))
		}
	}
	return true, nil
}

// undo takes back changes that were made.
func (t Tree) undo(changes []change) error {
	var errs []error
	for _, c := range changes {
		target := filepath.Join(t.Dir, c.name)
		if c.old == nil {
			errs = append(errs, os.Remove(target))
		} else {
			errs = append(errs, os.WriteFile(target, c.old, 0o644))
		}
	}
	return errors.Join(errs...)
}

// writeTemporary writes a file beside those that it will replace, under a name that the go command
// ignores.
func (t Tree) writeTemporary(data []byte) (string, error) {
	f, err := os.CreateTemp(t.Dir, ".bucketgen-")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	return f.Name(), errors.Join(err, f.Chmod(0o644), f.Close())
}

// changes returns what differs, sorted by name: files to write, then files to remove. It refuses
// anything that is no Go, and files that are in the way.
func (t Tree) changes() ([]change, error) {
	var changes []change
	for _, name := range slices.Sorted(maps.Keys(t.Files)) {
		file := filepath.Join(t.Dir, name)
		if _, err := parser.ParseFile(token.NewFileSet(), file, t.Files[name], parser.SkipObjectResolution); err != nil {
			return nil, fmt.Errorf("this is a bug in bucketgen, please report it: the generated code is no Go: %w", err)
		}
		old, err := os.ReadFile(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			old = nil
		case err != nil:
			return nil, err
		case !t.ours(old):
			return nil, fmt.Errorf("%s was not written by bucketgen, which is about to write a file of that name; rename or delete it", file)
		}
		if !bytes.Equal(unix(old), t.Files[name]) || old == nil {
			changes = append(changes, change{name, old, t.Files[name]})
		}
	}
	stale, err := t.stale()
	return append(changes, stale...), err
}

// stale returns the files that bucketgen wrote once and would not write now.
func (t Tree) stale() ([]change, error) {
	entries, err := os.ReadDir(t.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var stale []change
	for _, e := range entries {
		if _, wanted := t.Files[e.Name()]; wanted || !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), "_gen.go") {
			continue
		}
		old, err := os.ReadFile(filepath.Join(t.Dir, e.Name()))
		if err != nil {
			return nil, err
		}
		if t.ours(old) {
			stale = append(stale, change{e.Name(), old, nil})
		}
	}
	return stale, nil
}

// unix returns a text whose lines end with a newline alone. Go ignores carriage returns at the end
// of lines, in raw strings and comments as well, so the code is the same.
func unix(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }

// ours reports whether a file has the header, be it below the marks of a merge that went wrong.
func (t Tree) ours(data []byte) bool {
	for line := range bytes.Lines(data) {
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case string(line) == t.Header:
			return true
		case bytes.HasPrefix(line, []byte("package ")):
			return false
		}
	}
	return false
}
