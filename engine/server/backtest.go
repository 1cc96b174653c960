package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/printable"
)

// backTestFlags are the options of a back-test.
type backTestFlags struct {
	until       string
	against     string
	transitions string
}

// recorded is what a back-test is compared with if it is not another bucket.
const recorded = "recorded"

func (c *cli) backTestCommand() *cobra.Command {
	var flags backTestFlags
	cmd := &cobra.Command{
		Use:   "backtest [BUCKET...]",
		Short: "Run this program's definitions over the logged events",
		Long: `Evaluates the definitions of this program over the whole event log, in virtual time and in
memory, and reports who would have entered and left. Memberships do not change.

--against compares the result with another bucket, such as another version of the same one,
or with the transitions that were recorded.`,
		Example: "  " + c.host.Name + " backtest power-users --against recorded\n" +
			"  " + c.host.Name + " backtest power-users-v2 --against power-users --until 2026-03-01T00:00:00Z --json",
		ValidArgsFunction: c.completeBuckets(-1, anyBucket),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			for _, id := range args {
				if _, err := c.bucket(id); err != nil {
					return err
				}
			}
			o := engine.BackTestOptions{Buckets: args}
			switch flags.against {
			case "":
			case recorded:
				o.Against.Recorded = true
			default:
				if _, err := c.bucket(flags.against); err != nil {
					return fmt.Errorf("--against: %w, and %s", err, recorded)
				}
				o.Against.Bucket = flags.against
			}
			if o.Until, err = instant("--until", flags.until); err != nil {
				return err
			}
			return c.withRunningEngine(cmd, "", func(e *engine.Engine) error { return c.backTest(cmd, e, o, flags) })
		},
	}
	cmd.Flags().StringVar(&flags.until, "until", "", "run the clock up to this `TIME` (default now)")
	cmd.Flags().StringVar(&flags.against, "against", "", "compare with another `BUCKET`, or with the recorded transitions: "+recorded)
	cmd.Flags().StringVar(&flags.transitions, "transitions", "", "write every transition to this CSV `FILE`: bucket,user,transition,entryCount,at")
	return cmd
}

func (c *cli) backTest(cmd *cobra.Command, e *engine.Engine, o engine.BackTestOptions, flags backTestFlags) error {
	finished := func() error { return nil }
	if flags.transitions != "" {
		file, err := os.Create(flags.transitions)
		if err != nil {
			return err
		}
		defer file.Close()
		w := newTransitionWriter(file)
		o.Transition = w.write
		finished = func() error { return errors.Join(w.end(), file.Close()) }
	}
	const steps = 1000
	bar := newProgress(cmd.ErrOrStderr(), "back-test", "users", steps)
	o.Progress = func(p engine.BackTestProgress) { bar.share(p.Share, p.Events) }
	result, err := e.Deployments().BackTest(cmd.Context(), o)
	bar.end()
	if err != nil {
		return err
	}
	if err := finished(); err != nil {
		return fmt.Errorf("write %s: %w", flags.transitions, err)
	}
	if c.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(result)
	}
	return reportBackTest(cmd.OutOrStdout(), result)
}

func reportBackTest(out io.Writer, r engine.BackTestResult) error {
	width := len("bucket")
	for _, b := range r.Buckets {
		width = max(width, len(b.BucketID))
	}
	printable.Fprintf(out, "%-*s %9s %9s %9s\n", width, "bucket", "entered", "left", "members")
	for _, b := range r.Buckets {
		printable.Fprintf(out, "%-*s %9d %9d %9d\n", width, b.BucketID, b.Entered, b.Left, b.Members)
	}
	printable.Fprintf(out, "\n%s of %s until %s\n", count(r.Events, "event"), count(r.Users, "user"), r.Until.Format("2006-01-02T15:04:05.999999Z07:00"))
	room := columns(out)
	for i := range r.Buckets {
		b := &r.Buckets[i]
		if room > 0 && len(b.Days) > 0 {
			points := make([]point, len(b.Days))
			for k, day := range b.Days {
				points[k] = point{day.At, day.Entered, day.Left, day.Members}
			}
			printable.Fprintf(out, "\n%s\n", b.BucketID)
			if err := draw(out, points, room, "2006-01-02"); err != nil {
				return err
			}
		}
		if b.Against != nil {
			reportVersions(out, b)
		}
	}
	return nil
}

func reportVersions(out io.Writer, b *engine.BackTestBucket) {
	v := b.Against
	other := v.Other.BucketID
	if other == b.BucketID {
		other += " as it was recorded"
	}
	printable.Fprintf(out, "\n%s against %s, which %s entered and %s left\n", b.BucketID, other, count(v.Other.Entered, "user"), count(v.Other.Left, "user"))
	printable.Fprintf(out, "  in both          %9d\n", v.Both)
	printable.Fprintf(out, "  only in this     %9d%s\n", v.OnlyRun, examples(v.RunUsers, v.OnlyRun))
	printable.Fprintf(out, "  only in the other%9d%s\n", v.OnlyOther, examples(v.OtherUsers, v.OnlyOther))
	if n := len(v.Days); n > 0 {
		printable.Fprintf(out, "  they differ at the end of %s, from %s to %s\n", count(int64(n), "day"), v.Days[0].At.Format("2006-01-02"), v.Days[n-1].At.Format("2006-01-02"))
	} else {
		printable.Fprintf(out, "  they differ at the end of no day\n")
	}
}

// examples names the first few of some users.
func examples(users []string, all int64) string {
	const most = 5
	if len(users) == 0 {
		return ""
	}
	text := "  " + strings.Join(users[:min(len(users), most)], ", ")
	if all > most {
		text += ", ..."
	}
	return text
}
