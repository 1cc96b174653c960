package server

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
)

func (c *cli) planCommand() *cobra.Command {
	var o engine.PlanOptions
	var emit, at string
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what a deployment of this program would change",
		Long: `Compares the definitions of this program with the deployed ones. Shows which buckets are new,
changed or gone, how their definitions differ, who would join and leave, and which handlers and
endpoints would be notified. Nothing is written.

The exit code is 0 if nothing would change, 1 if something would change, and 2 on an error.`,
		Example: "  " + c.host.Name + " plan\n" +
			"  " + c.host.Name + " plan --sample 0.05 --json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withEngine(cmd, at, func(e *engine.Engine) error {
				p, err := c.plan(cmd, e, o, emit)
				if err != nil {
					return err
				}
				if err := c.printPlan(cmd, p); err != nil {
					return err
				}
				if p.Changes() {
					return errChanges
				}
				return nil
			})
		},
	}
	evaluationFlags(cmd, &o, &at)
	cmd.Flags().StringVar(&emit, "emit", "leaves", "which transitions would be announced: silent, leaves or all")
	return cmd
}

func (c *cli) previewCommand() *cobra.Command {
	var o engine.PlanOptions
	var at string
	cmd := &cobra.Command{
		Use:   "preview BUCKET",
		Short: "Show who would be in a bucket, before it is deployed",
		Long: `Evaluates this program's definition of a bucket for every user, regardless of the deployed one.
Shows the number of members and some of their ids. Nothing is written.`,
		Example:           "  " + c.host.Name + " preview power-users --users 20",
		Args:              takes(1, "one BUCKET"),
		ValidArgsFunction: c.completeBuckets(1, anyBucket),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := c.bucket(args[0])
			if err != nil {
				return err
			}
			return c.withEngine(cmd, at, func(e *engine.Engine) error {
				shown := newUserProgress(cmd.ErrOrStderr(), "preview")
				p, err := e.Deployments().Preview(cmd.Context(), ref, engine.PreviewOptions{Sample: o.Sample, Users: o.Users, Progress: shown.users})
				shown.end()
				if err != nil {
					return err
				}
				return c.print(cmd, p, func(out io.Writer) error {
					_, err := io.WriteString(out, p.String())
					return err
				})
			})
		},
	}
	evaluationFlags(cmd, &o, &at)
	return cmd
}

// evaluationFlags adds the flags of commands that evaluate users.
func evaluationFlags(cmd *cobra.Command, o *engine.PlanOptions, at *string) {
	cmd.Flags().Float64Var(&o.Sample, "sample", 1, "evaluate this `FRACTION` of the users and estimate the rest")
	cmd.Flags().IntVar(&o.Users, "users", 5, "show `N` users who would join, leave or be members; -1 for none")
	atFlag(cmd, at)
}

// errChanges says that a plan has changes, which is the exit code's business.
var errChanges = errors.New("a deployment would change something")

func (c *cli) plan(cmd *cobra.Command, e *engine.Engine, o engine.PlanOptions, emit string) (*engine.Plan, error) {
	shown := newUserProgress(cmd.ErrOrStderr(), "plan")
	defer shown.end()
	o.Emit, o.Progress = engine.Emit(emit), shown.users
	return e.Plan(cmd.Context(), o)
}

func (c *cli) printPlan(cmd *cobra.Command, p *engine.Plan) error {
	return c.print(cmd, p, func(out io.Writer) error {
		_, err := io.WriteString(out, p.String())
		return err
	})
}
