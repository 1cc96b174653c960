package server

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
)

// replayFlags are the options of a replay.
type replayFlags struct {
	until       string
	transitions string
}

func (c *cli) replayCommand() *cobra.Command {
	var flags replayFlags
	cmd := &cobra.Command{
		Use:   "replay FILE|-",
		Short: "Take events in as if they were happening now, in virtual time",
		Long: `Reads events, one JSON object a line, and takes each in at the time at which it
occurred. What the clock does between them happens at its own instant, so the outcome
is as if the engine had been running all the while. No other engine may work on the
database meanwhile.

The lines have the shape of Segment's track and identify calls:

  {"type":"track","userId":"ada","event":"purchase","properties":{"amount":12},
   "timestamp":"2026-11-23T09:30:00Z","messageId":"1"}
  {"type":"identify","userId":"ada","traits":{"plan":"pro"},"timestamp":"..."}

A messageId makes a line idempotent. The file may be compressed by gzip. A line that is
refused is reported, and the others are taken in; the exit code is 1 then.`,
		Example: "  " + c.host.Name + " replay events.jsonl.gz --until 2026-12-01T00:00:00Z --transitions out.csv\n" +
			"  cat events.jsonl | " + c.host.Name + " replay - --database temp",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			var until time.Time
			if flags.until != "" {
				if until, err = time.Parse(time.RFC3339Nano, flags.until); err != nil {
					return fmt.Errorf("--until %q is no time; write it like 2026-12-01T00:00:00Z", flags.until)
				}
			}
			in, size, err := openInput(cmd, args[0])
			if err != nil {
				return err
			}
			defer in.Close()
			d, err := c.open(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.close()) }()
			return c.replay(cmd, d, in, size, until, flags.transitions)
		},
	}
	cmd.Flags().StringVar(&flags.until, "until", "", "let the clock run on to this time (default the time of the last event)")
	cmd.Flags().StringVar(&flags.transitions, "transitions", "", "write every change of membership to this CSV file: bucket,user,transition,epoch,at")
	return cmd
}

func openInput(cmd *cobra.Command, name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(cmd.InOrStdin()), -1, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

func (c *cli) replay(cmd *cobra.Command, d *database, in io.Reader, size int64, until time.Time, transitions string) (err error) {
	if err := c.migrate(cmd.Context(), d, cmd.ErrOrStderr()); err != nil {
		return err
	}
	e, err := c.engine(d, func(config *engine.Config) { config.NoClock, config.NoDelivery, config.QueueSize = true, true, 5000 })
	if err != nil {
		return err
	}
	if err := e.Start(cmd.Context()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, finish(e)) }()

	progress := newProgress(cmd.ErrOrStderr(), size)
	lines := &lineReader{}
	events, err := lines.read(progress.reader(in))
	if err != nil {
		return err
	}
	began := time.Now()
	refused := lines.reporter(cmd.ErrOrStderr())
	summary, err := e.ReplayEvents(cmd.Context(), events, engine.ReplayOptions{Until: until, Progress: progress.events, Refused: refused.event})
	took := time.Since(began)
	progress.end()
	if err != nil {
		return err
	}
	if transitions != "" {
		if err := writeTransitions(cmd, e, summary, transitions); err != nil {
			return err
		}
	}
	report(cmd.OutOrStdout(), summary, took)
	if n := refused.count(); n > 0 {
		return &refusedError{n}
	}
	return nil
}

func report(out io.Writer, s engine.ReplaySummary, took time.Duration) {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "bucket\tentered\tleft\tactive\t")
	for _, b := range s.Buckets {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t\n", b.BucketID, b.Entered, b.Left, b.Active)
	}
	_ = w.Flush()
	fmt.Fprintf(out, "\n%d events", s.Events)
	if s.Duplicates > 0 {
		fmt.Fprintf(out, " and %d duplicates", s.Duplicates)
	}
	if !s.End.IsZero() {
		fmt.Fprintf(out, " until %s", s.End.Format(time.RFC3339Nano))
	}
	perSecond := float64(s.Events+s.Duplicates) / max(took.Seconds(), 1e-9)
	fmt.Fprintf(out, " in %s: %.0f events/s\n", took.Round(time.Millisecond), perSecond)
}

func writeTransitions(cmd *cobra.Command, e *engine.Engine, s engine.ReplaySummary, name string) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buffered := bufio.NewWriter(f)
	w := csv.NewWriter(buffered)
	rows := [][]string{{"bucket", "user", "transition", "epoch", "at"}}
	for t, err := range e.ReplayTransitions(cmd.Context(), s) {
		if err != nil {
			return err
		}
		if t.Kind != engine.Dwell {
			rows = append(rows, []string{t.BucketID, t.UserID, string(t.Kind), strconv.Itoa(t.EntryCount), t.At.Format(time.RFC3339Nano)})
		}
		if len(rows) == cap(rows) || len(rows) > 1000 {
			if err := w.WriteAll(rows); err != nil {
				return err
			}
			rows = rows[:0]
		}
	}
	return errors.Join(w.WriteAll(rows), buffered.Flush())
}
