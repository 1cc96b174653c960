package server

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/internal/helppage"
)

// TestCommandReference checks that docs/reference/commands says what the commands say. The flag
// -update writes it.
func TestCommandReference(t *testing.T) {
	t.Parallel()
	rewrite := flag.Lookup("update").Value.String() == "true"
	c := &cli{host: Host{Name: "bucketd"}}
	root := c.root()
	index := "# Command line\n\n" + helppage.Generated +
		"`bucketd` stands for the program of a host. `bucketgen`, the generator, has [commands](bucketgen.md) of its own. These flags are those of every command:\n\n" +
		helppage.Flags(root.PersistentFlags()) + "\n| command | what it does |\n|---|---|\n"
	for _, g := range root.Groups() {
		var page strings.Builder
		title := strings.TrimSuffix(g.Title, ":")
		fmt.Fprintf(&page, "# %s\n\n%s", title, helppage.Generated)
		for _, command := range root.Commands() {
			if command.GroupID == g.ID {
				index += fmt.Sprintf("| [`%s`](%s.md#%s) | %s |\n", command.Name(), g.ID, strings.ReplaceAll(command.CommandPath(), " ", "-"), command.Short)
				helppage.Describe(&page, command)
			}
		}
		helppage.Check(t, "../..", g.ID+".md", page.String(), rewrite)
	}
	helppage.Check(t, "../..", "README.md", index, rewrite)
}
