package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// TestEveryVerb checks all commands: each says what it does, shows an example, can print JSON, and
// is run by a script.
func TestEveryVerb(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no scripts", err)
	}
	var scripts strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		scripts.Write(text)
	}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		if !cmd.Runnable() {
			return
		}
		path := cmd.CommandPath()
		run := path + " "
		switch {
		case cmd.Short == "" || cmd.Long == "":
			t.Errorf("%s does not say what it does", path)
		case !strings.HasPrefix(cmd.Example, "  "+path):
			t.Errorf("%s shows no example", path)
		case cmd.InheritedFlags().Lookup("json") == nil:
			t.Errorf("%s cannot print JSON", path)
		case !strings.Contains(scripts.String(), "\n"+run) && !strings.Contains(scripts.String(), " "+run) && !strings.Contains(scripts.String(), "\n"+path+"\n"):
			t.Errorf("no script runs %s", path)
		}
	}
	walk((&cli{host: Host{Name: "bucketd", Registry: registry.New(&table.Registry{})}}).root())
}
