package server

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/printable"
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
		Short: "Ingest past events in virtual time",
		Long: `Reads events, one JSON object a line, and ingests each at the time at which it occurred. The clock
runs in virtual time between them, so the result is the same as if the engine had been running all
along. No other engine may run on the database meanwhile.

The lines have the shape of Segment's calls, track, identify, page, screen and group:

  {"type":"track","userId":"ada","event":"purchase","properties":{"amount":12},
   "timestamp":"2026-11-23T09:30:00Z","messageId":"1"}
  {"type":"identify","userId":"ada","traits":{"plan":"pro"},"timestamp":"..."}

A messageId makes a line idempotent. The file may be compressed by gzip. A refused line is reported,
the others are ingested, and the exit code is 1. An interrupted replay can be run again: a line with
a messageId is ingested once.`,
		Example: "  " + c.host.Name + " replay events.jsonl.gz --until 2026-12-01T00:00:00Z --transitions out.csv\n" +
			"  cat events.jsonl | " + c.host.Name + " replay - --database temp",
		Args: takes(1, "one FILE, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			in, size, until, err := flags.open(cmd, args[0])
			if err != nil {
				return err
			}
			defer in.Close()
			d, err := c.open(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.close()) }()
			r := replay{cli: c, cmd: cmd, until: until, transitions: flags.transitions}
			return r.run(d, in, size)
		},
	}
	flags.add(cmd)
	return cmd
}

// open reads the time to which the clock is to run, and opens the input.
func (f *replayFlags) open(cmd *cobra.Command, name string) (in io.ReadCloser, size int64, until time.Time, err error) {
	if until, err = instant("--until", f.until); err == nil {
		in, size, err = openInput(cmd, name)
	}
	return in, size, until, err
}

func (f *replayFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.until, "until", "", "run the clock up to this `TIME` and refuse later lines (default the time of the last event)")
	cmd.Flags().StringVar(&f.transitions, "transitions", "", "write every transition to this CSV `FILE`: bucket,user,transition,entryCount,at")
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

// replay is one run of the command.
type replay struct {
	*cli
	cmd         *cobra.Command
	until       time.Time
	transitions string // the file for them, or none
}

func (r *replay) run(d *database, in io.Reader, size int64) (err error) {
	ctx := r.cmd.Context()
	if _, err := r.migrate(ctx, d, r.cmd.ErrOrStderr()); err != nil {
		return err
	}
	e, err := r.engine(d, func(config *engine.Config) { config.NoClock, config.NoDelivery, config.QueueSize = true, true, 5000 })
	if err != nil {
		return err
	}
	var file io.WriteCloser
	if r.transitions != "" { // before all the work, in case it cannot be written
		if file, err = os.Create(r.transitions); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
	}
	if err := e.Start(ctx); err != nil {
		return err
	}
	lines := &lineReader{out: r.cmd.ErrOrStderr()}
	err = r.take(e, lines, in, size, file)
	if err = errors.Join(err, finish(e)); err != nil {
		return r.ended(err, e.Stats())
	}
	if n := lines.count(); n > 0 {
		return &refusedError{n, "line"}
	}
	return nil
}

// take ingests the lines and prints the result.
func (r *replay) take(e *engine.Engine, lines *lineReader, in io.Reader, size int64, transitions io.Writer) error {
	ctx := r.cmd.Context()
	progress := newInputProgress(r.cmd.ErrOrStderr(), size, "replay", "event")
	input := interruptible(ctx, progress.reader(in))
	defer input.Close()
	events, err := lines.read(input)
	if err != nil {
		return err
	}
	began := time.Now()
	summary, err := e.Replay().Events(ctx, events, engine.ReplayOptions{Until: r.until, Progress: progress.events, Refused: lines.refuseEvent})
	took := time.Since(began)
	progress.end()
	if err != nil {
		return err
	}
	if transitions != nil {
		if err := writeTransitions(transitions, e.Replay().Transitions(ctx, summary)); err != nil {
			return fmt.Errorf("write %s: %w", r.transitions, err)
		}
	}
	return r.print(r.cmd, summary, func(out io.Writer) error { return report(out, summary, took) })
}

// ended says how far a replay came that did not get to its end.
func (r *replay) ended(err error, s engine.Stats) error {
	if r.cmd.Context().Err() != nil {
		err = errInterrupted
	}
	err = fmt.Errorf("%w after %s", err, count(s.Events+s.Duplicates, "event"))
	if r.database != temporary {
		err = fmt.Errorf("%w, which stay in the database; run it again to continue: a line with a messageId is ingested once", err)
	}
	return err
}

func report(out io.Writer, s engine.ReplaySummary, took time.Duration) error {
	width := len("bucket")
	for _, b := range s.Buckets {
		width = max(width, len(b.BucketID))
	}
	printable.Fprintf(out, "%-*s %9s %9s %9s\n", width, "bucket", "entered", "left", "active")
	for _, b := range s.Buckets {
		printable.Fprintf(out, "%-*s %9d %9d %9d\n", width, b.BucketID, b.Entered, b.Left, b.Active)
	}
	printable.Fprintf(out, "\n%s", count(s.Events, "event"))
	if s.Duplicates > 0 {
		printable.Fprintf(out, " and %s", count(s.Duplicates, "duplicate"))
	}
	if !s.End.IsZero() {
		printable.Fprintf(out, " until %s", s.End.Format(time.RFC3339Nano))
	}
	perSecond := float64(s.Events+s.Duplicates) / max(took.Seconds(), 1e-9)
	return printable.Fprintf(out, " in %s: %.0f events/s\n", took.Round(time.Millisecond), perSecond)
}

// writeTransitions writes joins and leaves as CSV.
func writeTransitions(out io.Writer, transitions iter.Seq2[engine.Transition, error]) error {
	w := newTransitionWriter(out)
	for t, err := range transitions {
		if err != nil {
			return err
		}
		w.write(t)
	}
	return w.end()
}
