package main

import (
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/internal/helppage"
)

// TestCommandReference checks that docs/reference/commands/bucketgen.md says what the commands say.
// The flag -update writes it.
func TestCommandReference(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	page.WriteString("# bucketgen\n\n" + helppage.Generated)
	helppage.Describe(&page, newCommand())
	helppage.Check(t, "../..", "bucketgen.md", page.String(), *update)
}
