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
	cmd.Flags().StringVar(at, "at", "", "take it to be this `TIME`, where events were replayed (default now)")
}

func (c *cli) deployCommand() *cobra.Command {
	var o engine.DeployOptions
	var emit, at string
	var wait bool
	cmd := &cobra.Command{
		Use:   "deploy",
		Short: "Make this program's buckets those that are deployed",
		Long: `From now on, processes that have other definitions of a bucket leave it alone. Users are
looked at by the definitions that are new or have changed: those who match a new bucket
join it as of the time of the deployment, and everybody who does something before they
were looked at is looked at first. The command shows how far that is, and may be
interrupted: processes that run the same buckets go on with it, and so does this command
when it is run again.

By default, users who leave are announced and users who join are not: they matched all
along. See plan for what would happen.`,
		Example: "  " + c.host.Name + " deploy\n" +
			"  " + c.host.Name + " deploy --emit all --rate 500",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Emit = engine.Emit(emit)
			return c.look(cmd, at, func(e *engine.Engine) error {
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
	cmd.Flags().StringVar(&emit, "emit", "leaves", "what is announced of it: silent, leaves or all")
	cmd.Flags().IntVar(&o.Rate, "rate", 0, "look at `N` users a second at most (default as many as there is time for)")
	cmd.Flags().BoolVar(&wait, "wait", true, "look at all users; false leaves that to processes that run")
	atFlag(cmd, &at)
	return cmd
}

func (c *cli) backfillCommand() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use:   "backfill",
		Short: "Look at users who have not followed the last deployment yet",
		Long: `Goes on with what a deployment, or a bucket that was resumed, has begun. Several processes
may do so at once; they share the work.`,
		Example: "  " + c.host.Name + " backfill",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.look(cmd, at, func(e *engine.Engine) error {
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
	return c.haltCommand("pause", "Stop a bucket until it is resumed", `Nobody joins or leaves the bucket any more, whatever happens and whatever process notices;
ticks and deliveries wait. It takes effect at once, and survives restarts.`, (*engine.Engine).Pause)
}

func (c *cli) resumeCommand() *cobra.Command {
	return c.haltCommand("resume", "Let a bucket go on that was paused", `Users are looked at anew: what they joined or left while the bucket was paused, they join
or leave now, announced as the last deployment says. Ticks that were missed come as one.`, (*engine.Engine).Resume)
}

func (c *cli) retireCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "retire BUCKET",
		Short: "Let everybody leave a bucket that is not deployed any more",
		Long: `Members of a bucket whose definition was removed stay as they are, in case it comes back.
This lets them leave for good, which is announced to whoever is told of leaves.`,
		Example: "  " + c.host.Name + " retire old-customers",
		Args:    takes(1, "one BUCKET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.look(cmd, "", func(e *engine.Engine) error {
				n, err := e.Retire(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return c.print(cmd, retired{args[0], n}, func(out io.Writer) error {
					return printable.Fprintf(out, "%s left %s\n", count(n, "user"), args[0])
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
			return c.look(cmd, at, func(e *engine.Engine) error {
				if err := do(e, cmd.Context(), ref); err != nil {
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

type haltFunc = func(*engine.Engine, context.Context, registry.BucketRef) error

func (c *cli) backfill(cmd *cobra.Command, e *engine.Engine) (engine.Deployment, error) {
	shown := newUserProgress(cmd.ErrOrStderr(), "backfill")
	defer shown.end()
	return e.Backfill(cmd.Context(), func(d engine.Deployment) { shown.users(min(d.Followed, d.Users), d.Users) })
}

func (c *cli) printDeployment(cmd *cobra.Command, d engine.Deployment) error {
	return c.print(cmd, d, func(out io.Writer) error { return reportDeployment(out, d) })
}

func reportDeployment(out io.Writer, d engine.Deployment) error {
	printable.Fprintf(out, "deployment %d of %s, fingerprint %s\n", d.No, d.At.Format(time.RFC3339), d.Fingerprint)
	if !d.Finished() {
		printable.Fprintf(out, "users are still to follow it; processes that run the same buckets see to that, or backfill does\n")
		return nil
	}
	return printable.Fprintf(out, "%s followed it: %s, %s\n", count(d.Followed, "user"), count(d.Joined, "join"), count(d.Left, "leave"))
}
