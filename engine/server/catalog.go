package server

import (
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
)

func (c *cli) catalogCommand() *cobra.Command {
	var drift bool
	cmd := &cobra.Command{
		Use:   "catalog",
		Short: "List the declared and the received events, fields and properties",
		Long: `Lists the event names, payload fields and properties that definitions declare and those that were
received, with the types of their values. An undeclared name is shown with the declared names it may
be a misspelling of, and a declared name that was never received with the names that may stand for it.

--drift lists only the differences. The exit code is 0 in any case; use doctor for alerts.`,
		Example: "  " + c.host.Name + " catalog\n" +
			"  " + c.host.Name + " catalog --drift\n" +
			"  " + c.host.Name + " catalog --json | jq '.entries[] | select(.declared | not)'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withEngine(cmd, "", func(e *engine.Engine) error {
				all, err := e.Catalog(cmd.Context())
				if err != nil {
					return err
				}
				if drift {
					return printList(c, cmd, all.Drift, func(out io.Writer) error { return printDrift(out, all.Drift) })
				}
				return c.print(cmd, all, func(out io.Writer) error { return printCatalog(out, all.Entries) })
			})
		},
	}
	cmd.Flags().BoolVar(&drift, "drift", false, "list only the differences")
	return cmd
}

func printCatalog(out io.Writer, all []engine.CatalogEntry) error {
	t := newTable(out, "KIND", "EVENT", "NAME", "DECLARED", "SEEN", "COUNT", "LAST SEEN", "NEAR")
	for i := range all {
		e := &all[i]
		t.row(e.Kind, e.Event, e.Name, declaredAs(e), seenAs(e), e.Count, lastSeen(e), nearTo(e.Near))
	}
	return t.end()
}

func printDrift(out io.Writer, all []engine.Drift) error {
	t := newTable(out, "DRIFT", "WHAT")
	for i := range all {
		t.row(all[i].Kind, all[i].Says)
	}
	return t.end()
}

// declaredAs says how a name is declared: by its types, if it has some.
func declaredAs(e *engine.CatalogEntry) string {
	switch {
	case !e.Declared:
		return "no"
	case len(e.Types) > 0:
		return strings.Join(e.Types, ", ")
	}
	return "yes"
}

// seenAs lists the types that arrived, and marks those that are wrong.
func seenAs(e *engine.CatalogEntry) string {
	var all []string
	for _, s := range e.Seen {
		switch {
		case s.Type == "":
			all = append(all, "yes")
		case s.Wrong:
			all = append(all, s.Type+" (wrong)")
		default:
			all = append(all, s.Type)
		}
	}
	if all == nil {
		return "never"
	}
	return strings.Join(all, ", ")
}

func lastSeen(e *engine.CatalogEntry) string {
	if last := e.LastSeen(); !last.IsZero() {
		return last.Format(time.RFC3339)
	}
	return "never"
}

func nearTo(names []engine.DriftName) string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = n.String()
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
