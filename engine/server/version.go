package server

import (
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/printable"
	"github.com/bucketgen/bucketgen/internal/store"
)

// versions are what the command version prints.
type versions struct {
	Version  string `json:"version"`  // of bucketgen
	Tables   int    `json:"tables"`   // the newest migration that the program knows
	Go       string `json:"go"`       // which compiled the program
	Revision string `json:"revision"` // of the program's repository; empty: it was not recorded
}

func (c *cli) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of bucketgen, its tables and Go",
		Long: `Prints the version of bucketgen that this program was built with, the newest version of the tables
that it knows, the version of Go, and the revision of the program's own repository if go build
recorded it.`,
		Example: "  " + c.host.Name + " version --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := versions{Version: bucketgen.Version, Tables: store.Version, Go: runtime.Version(), Revision: revision()}
			return c.print(cmd, v, func(out io.Writer) error {
				printable.Fprintf(out, "bucketgen %s, tables %d, %s\n", v.Version, v.Tables, v.Go)
				if v.Revision == "" {
					return nil
				}
				return printable.Fprintf(out, "%s %s\n", c.host.Name, v.Revision)
			})
		},
	}
}

// revision returns the commit that the program was built from.
func revision() string {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
