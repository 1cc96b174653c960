package server

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/printable"
)

func (c *cli) reconcileCommand() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use:   "reconcile",
		Short: "Derive all memberships anew and repair what differs",
		Long: `Goes through all users, derives their memberships from what is known of them, and repairs
what is not as it should be. In a healthy system that is nothing. It may run beside
everything else; if it is interrupted, the next one goes on where it was.`,
		Example: "  " + c.host.Name + " reconcile",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.ask(cmd, at, func(e *engine.Engine) error {
				shown := newUserProgress(cmd.ErrOrStderr(), "reconcile")
				r, err := e.Reconcile(cmd.Context(), func(r engine.Reconciliation) { shown.users(r.Checked, r.Users) })
				shown.end()
				if err != nil {
					return err
				}
				return c.print(cmd, r, func(out io.Writer) error {
					return printable.Fprintf(out, "%s checked, %d repaired\n", count(r.Checked, "user"), r.Repaired)
				})
			})
		},
	}
	atFlag(cmd, &at)
	return cmd
}
