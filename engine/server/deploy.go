package server

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/printable"
	"github.com/bucketgen/bucketgen/registry"
)

func atFlag(cmd *cobra.Command, at *string) {
	cmd.Flags().StringVar(at, "at", "", "use this `TIME` as the current time, for a database filled by replay (default now)")
}

func (c *cli) deployCommand() *cobra.Command {
	var o engine.DeployOptions
	var emit, at string
	var wait bool
	cmd := &cobra.Command{
		Use:   "deploy",
		Short: "Deploy the bucket definitions of this program",
		Long: `Makes the definitions of this program the deployed ones. Processes with another definition of a
bucket skip that bucket from then on. A backfill evaluates all users against the definitions that
are new or have changed. Users who match a new bucket join it as of the time of the deployment. A
user whose event arrives before the backfill reaches them is evaluated first.

The command shows the progress of the backfill and can be interrupted: processes with the same
definitions continue it, and so does this command when it runs again.

By default, leaves are announced and joins are not, because those users matched all along. Run
plan first to see what would change.`,
		Example: "  " + c.host.Name + " deploy\n" +
			"  " + c.host.Name + " deploy --emit all --rate 500",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Emit = engine.Emit(emit)
			return c.withEngine(cmd, at, func(e *engine.Engine) error {
				d, err := e.Deploy(cmd.Context(), o)
				if err != nil {
					return err
				}
				if wait {
					if d, err = c.backfill(cmd, e); err != nil {
						return err
					}
				}
				return c.printDeployment(cmd, d)
			})
		},
	}
	cmd.Flags().StringVar(&emit, "emit", "leaves", "which transitions to announce: silent, leaves or all")
	cmd.Flags().IntVar(&o.Rate, "rate", 0, "backfill at most `N` users a second (default no limit)")
	cmd.Flags().BoolVar(&wait, "wait", true, "run the backfill; false leaves it to running processes")
	atFlag(cmd, &at)
	return cmd
}

func (c *cli) backfillCommand() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use:   "backfill",
		Short: "Continue an interrupted backfill",
		Long: `Evaluates the users whom the backfill of the last deployment, or of a resumed bucket, has not
reached yet. Several processes can run it at once; they share the work.`,
		Example: "  " + c.host.Name + " backfill",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withEngine(cmd, at, func(e *engine.Engine) error {
				d, err := c.backfill(cmd, e)
				if err != nil {
					return err
				}
				return c.printDeployment(cmd, d)
			})
		},
	}
	atFlag(cmd, &at)
	return cmd
}

func (c *cli) pauseCommand() *cobra.Command {
	return c.haltCommand("pause", "Freeze a bucket until it is resumed", `Freezes the memberships of a bucket in every process. Joins, leaves, ticks and deliveries of the
bucket wait until it is resumed. It takes effect at once and survives restarts.`, (*engine.Deployments).Pause)
}

func (c *cli) resumeCommand() *cobra.Command {
	return c.haltCommand("resume", "Resume a paused bucket", `Evaluates all users again. Users who began or ceased to match while the bucket was paused join or
leave it now, announced by the rule of the last deployment. Missed ticks are reported as one.`, (*engine.Deployments).Resume)
}

func (c *cli) retireCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "retire BUCKET",
		Short: "Remove all members of a bucket that is no longer deployed",
		Long: `Members of a bucket whose definition was removed stay in it, in case the definition comes back.
retire makes them leave for good, and announces the leaves.`,
		Example: "  " + c.host.Name + " retire old-customers",
		Args:    takes(1, "one BUCKET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withEngine(cmd, "", func(e *engine.Engine) error {
				r, err := e.Deployments().Retire(cmd.Context(), args[0], nil)
				if err != nil {
					return err
				}
				return c.print(cmd, retired{args[0], r.Left}, func(out io.Writer) error {
					return printable.Fprintf(out, "%s left %s\n", count(r.Left, "user"), args[0])
				})
			})
		},
	}
}

func (c *cli) haltCommand(verb, short, long string, do haltFunc) *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use: verb + " BUCKET", Short: short, Long: long,
		Example:           "  " + c.host.Name + " " + verb + " power-users",
		Args:              takes(1, "one BUCKET"),
		ValidArgsFunction: c.completeBuckets(1, anyBucket),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := c.bucket(args[0])
			if err != nil {
				return err
			}
			return c.withEngine(cmd, at, func(e *engine.Engine) error {
				if err := do(e.Deployments(), cmd.Context(), ref); err != nil {
					return err
				}
				if verb == "resume" {
					if _, err := c.backfill(cmd, e); err != nil {
						return err
					}
				}
				return c.print(cmd, halted{ref.ID(), verb == "pause"}, func(out io.Writer) error {
					return printable.Fprintf(out, "%s is %sd\n", ref.ID(), verb)
				})
			})
		},
	}
	atFlag(cmd, &at)
	return cmd
}

// What is printed of commands that change a bucket.
type (
	halted struct {
		BucketID string `json:"bucketId"`
		Paused   bool   `json:"paused"`
	}
	retired struct {
		BucketID string `json:"bucketId"`
		Left     int64  `json:"left"`
	}
)

type haltFunc = func(*engine.Deployments, context.Context, registry.BucketRef) error

func (c *cli) backfill(cmd *cobra.Command, e *engine.Engine) (engine.Deployment, error) {
	shown := newUserProgress(cmd.ErrOrStderr(), "backfill")
	defer shown.end()
	return e.Deployments().Backfill(cmd.Context(), func(d engine.Deployment) { shown.users(min(d.Followed, d.Users), d.Users) })
}

func (c *cli) printDeployment(cmd *cobra.Command, d engine.Deployment) error {
	return c.print(cmd, d, func(out io.Writer) error { return reportDeployment(out, d) })
}

func reportDeployment(out io.Writer, d engine.Deployment) error {
	printable.Fprintf(out, "deployment %d of %s, fingerprint %s\n", d.No, d.At.Format(time.RFC3339), d.Fingerprint)
	if !d.Finished() {
		printable.Fprintf(out, "backfill unfinished; a process with these definitions will finish it, or run backfill\n")
		return nil
	}
	return printable.Fprintf(out, "backfilled %s: %s, %s\n", count(d.Followed, "user"), count(d.Joined, "join"), count(d.Left, "leave"))
}
