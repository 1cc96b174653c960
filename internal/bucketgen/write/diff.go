package write

import (
	"bytes"
	"path/filepath"

	"github.com/rogpeppe/go-internal/diff"
)

// Diff returns what [Tree.Write] would change, as unified diffs. It is empty if nothing would
// change.
func (t Tree) Diff() ([]byte, error) {
	changes, err := t.changes()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, c := range changes {
		name := filepath.ToSlash(filepath.Join(t.Dir, c.name))
		oldName, newName := name, name
		if c.old == nil {
			oldName = "/dev/null"
		}
		if c.new == nil {
			newName = "/dev/null"
		}
		out.Write(diff.Diff(oldName, unix(c.old), newName, c.new))
	}
	return out.Bytes(), nil
}
