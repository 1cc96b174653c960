package server

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/printable"
)

func (c *cli) mergeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "merge FROM INTO", Short: "Make a user another",
		Long: `Makes the user FROM, by an id that somebody had before they signed up, the user INTO. What FROM did
counts for INTO from then on, and the one id is another name of the other user. There is no way back.

Prints what changed: who was in a bucket under either name, and is in it afterwards, has neither
entered nor left it. Of properties, those of INTO stay, and those of FROM fill the gaps.`,
		Example: "  " + c.host.Name + " merge anon-7f3a ada",
		Args:    takes(2, "FROM and INTO"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.ask(cmd, "", func(e *engine.Engine) error {
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
	if err := printable.Fprintf(out, "%s is %s\n", from, into); err != nil {
		return err
	}
	for _, t := range made {
		if err := printable.Fprintf(out, "%s %s %s\n", t.UserID, t.Kind, t.BucketID); err != nil {
			return err
		}
	}
	return nil
}
