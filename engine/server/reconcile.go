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
		Short: "Recompute all memberships and repair differences",
		Long: `Recomputes the memberships of all users from their events and properties, and repairs differences.
A healthy system has none. It can run beside everything else. If it is interrupted, the next run
continues where it stopped.`,
		Example: "  " + c.host.Name + " reconcile",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withRunningEngine(cmd, at, func(e *engine.Engine) error {
				shown := newUserProgress(cmd.ErrOrStderr(), "reconcile")
				r, err := e.Deployments().Reconcile(cmd.Context(), func(r engine.Reconciliation) { shown.users(r.Checked, r.Users) })
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
