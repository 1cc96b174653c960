package server

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/printable"
)

func (c *cli) mergeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "merge FROM INTO", Short: "Merge one user into another",
		Long: `Merges the user FROM, such as the anonymous id of a visitor, into the user INTO, such as the id after
sign-up. The events of FROM count for INTO, and FROM becomes another id of INTO. A merge cannot be
undone.

Prints the transitions. A user who was a member under either id and still matches has neither
entered nor left. Properties of INTO win; those of FROM fill the gaps.`,
		Example: "  " + c.host.Name + " merge anon-7f3a ada",
		Args:    takes(2, "FROM and INTO"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withRunningEngine(cmd, "", func(e *engine.Engine) error {
				made, err := e.Merge(cmd.Context(), args[0], args[1])
				if err != nil {
					return err
				}
				return printList(c, cmd, made, func(out io.Writer) error { return reportMerge(out, args[0], args[1], made) })
			})
		},
	}
}

func reportMerge(out io.Writer, from, into string, made []engine.Transition) error {
	if err := printable.Fprintf(out, "merged %s into %s\n", from, into); err != nil {
		return err
	}
	for _, t := range made {
		if err := printable.Fprintf(out, "%s %s %s\n", textOf(t.Who()), t.Kind, t.BucketID); err != nil {
			return err
		}
	}
	return nil
}
