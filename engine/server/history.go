package server

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
)

// historyFlags are the options of a history.
type historyFlags struct {
	from, to string
	by       string
}

// stretch is the default number of steps, by the length of a step.
type stretch struct {
	step   engine.Step
	steps  int
	layout string
}

var stretches = map[string]stretch{
	"hour": {engine.Hourly, 48, "2006-01-02T15:04Z"},
	"day":  {engine.Daily, 30, time.DateOnly},
}

func (c *cli) historyCommand() *cobra.Command {
	var flags historyFlags
	cmd := &cobra.Command{
		Use:   "history BUCKET",
		Short: "Show the size of a bucket over time, with its joins and leaves",
		Long: `Shows for each day or hour, in UTC, how many users entered and left a bucket, how many members it
had at the end, and the mean length of the stays that ended. It draws a chart on a terminal and
prints a table elsewhere.`,
		Example: "  " + c.host.Name + " history power-users\n" +
			"  " + c.host.Name + " history power-users --by hour --from 2026-03-01T00:00:00Z --to 2026-03-02T00:00:00Z --json",
		Args:              takes(1, "one BUCKET"),
		ValidArgsFunction: c.completeBuckets(1, anyBucket),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := c.bucket(args[0])
			if err != nil {
				return err
			}
			how, known := stretches[flags.by]
			if !known {
				return fmt.Errorf("--by is %q; write hour or day", flags.by)
			}
			from, err := instant("--from", flags.from)
			if err != nil {
				return err
			}
			to, err := instant("--to", flags.to)
			if err != nil {
				return err
			}
			if to.IsZero() {
				to = time.Now()
			}
			if from.IsZero() {
				from = to.Add(-time.Duration(how.step) * time.Duration(how.steps-1))
			}
			return c.withRunningEngine(cmd, "", func(e *engine.Engine) error {
				points, err := e.MembershipHistory(cmd.Context(), ref, from, to, how.step)
				if err != nil {
					return err
				}
				return c.printHistory(cmd.OutOrStdout(), points, how)
			})
		},
	}
	cmd.Flags().StringVar(&flags.from, "from", "", "start with the day or hour of this `TIME` (default 30 days or 48 hours before the end)")
	cmd.Flags().StringVar(&flags.to, "to", "", "end with the day or hour of this `TIME` (default now)")
	cmd.Flags().StringVar(&flags.by, "by", "day", "size of a `STEP`: hour or day")
	return cmd
}

func (c *cli) printHistory(out io.Writer, all []engine.SizePoint, how stretch) error {
	if c.asJSON {
		return printHistoryJSON(out, all)
	}
	if width := columns(out); width > 0 {
		points := make([]point, len(all))
		for i, p := range all {
			points[i] = point{p.At, p.Entered, p.Left, p.Members}
		}
		return draw(out, points, width, how.layout)
	}
	t := newTable(out, "FROM", "ENTERED", "LEFT", "MEMBERS", "MEAN DWELL")
	for _, p := range all {
		dwell := "-"
		if p.Left > 0 {
			dwell = p.MeanDwell.Round(time.Millisecond).String()
		}
		t.row(p.At.Format(how.layout), p.Entered, p.Left, p.Members, dwell)
	}
	return t.end()
}

func printHistoryJSON(out io.Writer, all []engine.SizePoint) error {
	w := json.NewEncoder(out)
	for _, p := range all {
		if err := w.Encode(struct {
			At          time.Time `json:"at"`
			Entered     int64     `json:"entered"`
			Left        int64     `json:"left"`
			Members     int64     `json:"members"`
			MeanDwellMS int64     `json:"meanDwellMs"`
		}{p.At, p.Entered, p.Left, p.Members, p.MeanDwell.Milliseconds()}); err != nil {
			return err
		}
	}
	return nil
}
