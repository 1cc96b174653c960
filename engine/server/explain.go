package server

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
)

func (c *cli) explainCommand() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use:   "explain BUCKET USER",
		Short: "Explain why a user is in a bucket or not, and what the clock does next",
		Long: `Shows what each condition of a bucket evaluates to for a user, the result of the bucket's
policies, and what happens next if no event arrives. It changes nothing.`,
		Example: "  " + c.host.Name + " explain power-users ada\n" +
			"  " + c.host.Name + " explain power-users ada --json",
		Args:              takes(2, "a BUCKET and a USER"),
		ValidArgsFunction: c.completeBuckets(1, anyBucket),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := c.bucket(args[0])
			if err != nil {
				return err
			}
			return c.withRunningEngine(cmd, at, func(e *engine.Engine) error {
				x, err := e.Explain(cmd.Context(), ref, args[1])
				if err != nil {
					return err
				}
				return c.print(cmd, x, func(out io.Writer) error {
					_, err := io.WriteString(out, x.String())
					return err
				})
			})
		},
	}
	atFlag(cmd, &at)
	return cmd
}
