package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/simulate"
	"github.com/bucketgen/bucketgen/registry/table"
)

func (c *cli) simulateCommand() *cobra.Command {
	var flags replayFlags
	cmd := &cobra.Command{
		Use:   "simulate FILE|-",
		Short: "Replay events in memory, without a database",
		Long: `Works like replay, but without a database: it reads events, one JSON object a line, ingests each at
the time at which it occurred, and reports the transitions. Users start without events and
properties. Nothing is written. All users of the file are kept in memory.

The exit code is 1 if a line was refused.`,
		Example: "  " + c.host.Name + " simulate events.jsonl.gz --until 2026-12-01T00:00:00Z --transitions out.csv",
		Args:    takes(1, "one FILE, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			in, size, until, err := flags.open(cmd, args[0])
			if err != nil {
				return err
			}
			defer in.Close()
			var file io.WriteCloser
			if flags.transitions != "" { // before all the work, in case it cannot be written
				if file, err = os.Create(flags.transitions); err != nil {
					return err
				}
				defer func() { err = errors.Join(err, file.Close()) }()
			}
			s := newSimulation(c.host, until)
			began := time.Now()
			if err := s.run(cmd, in, size); err != nil {
				return err
			}
			if err := s.write(file); err != nil {
				return fmt.Errorf("write %s: %w", flags.transitions, err)
			}
			summary := s.summary()
			err = c.print(cmd, summary, func(out io.Writer) error { return report(out, summary, time.Since(began)) })
			if err == nil && summary.Refused > 0 {
				err = &refusedError{summary.Refused, "line"}
			}
			return err
		},
	}
	flags.add(cmd)
	return cmd
}

// simulation is one run of the command.
type simulation struct {
	registry *table.Registry
	limits   event.Limits
	world    *simulate.Simulator // nil: nothing has happened yet
	done     engine.ReplaySummary
}

func newSimulation(h Host, until time.Time) *simulation {
	limits := event.Limits{
		Payload: h.Config.MaxPayload, Skew: h.Config.Skew, End: until,
		User: decide.Limits{Properties: h.Config.MaxTraits, Bytes: h.Config.MaxTraitBytes, AnonymousAge: h.Config.AnonymousAge},
	}
	return &simulation{registry: h.Registry.Tables(), limits: limits.WithDefaults()}
}

// run takes the lines in, and lets the clock run on.
func (s *simulation) run(cmd *cobra.Command, in io.Reader, size int64) error {
	shown := newInputProgress(cmd.ErrOrStderr(), size, "simulate", "event")
	defer shown.end()
	input := interruptible(cmd.Context(), shown.reader(in))
	defer input.Close()
	lines := &lineReader{out: cmd.ErrOrStderr()}
	events, err := lines.read(input)
	if err != nil {
		return err
	}
	place := int64(0)
	for ev, err := range events {
		if err != nil {
			return simulationEnded(cmd.Context(), err)
		}
		place++
		if err := s.take(&ev); err != nil {
			lines.refuseEvent(place, err)
		}
		if place%256 == 0 {
			shown.events(s.done.Events + s.done.Duplicates)
		}
	}
	if err := cmd.Context().Err(); err != nil {
		return simulationEnded(cmd.Context(), err)
	}
	s.done.Refused = lines.count()
	if end := s.limits.End; s.world != nil && !end.IsZero() {
		s.world.AdvanceTo(table.At(end))
	}
	return nil
}

func simulationEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

// take takes an event in at the time at which it occurred, or now if that is earlier.
func (s *simulation) take(ev *engine.Event) error {
	ids, err := s.limits.IDs.Read(ev)
	if err != nil {
		return err
	}
	valid, err := event.Validate(s.registry, ev, ev.OccurredAt, s.limits)
	if err != nil {
		return err
	}
	if s.world == nil {
		s.world = simulate.New(s.registry, valid.OccurredAt, s.limits.User)
		s.world.LimitIDs(s.limits.IDs.Limits)
	}
	s.world.AdvanceTo(valid.OccurredAt)
	switch result := s.world.IngestAs(ids.Names(), !ev.Untrusted, valid); {
	case result.Refused != nil:
		return event.Refused(result.Refused)
	case result.Duplicate:
		s.done.Duplicates++
	default:
		s.done.Events++
	}
	return nil
}

// transitions returns what came of it.
func (s *simulation) transitions() []simulate.Transition {
	if s.world == nil {
		return nil
	}
	return s.world.Transitions()
}

func (s *simulation) write(out io.Writer) error {
	if out == nil {
		return nil
	}
	w := newTransitionWriter(out)
	for _, t := range s.transitions() {
		w.write(engine.Transition{BucketID: t.BucketID, UserID: t.User, Kind: t.Kind, EntryCount: t.EntryCount, At: t.At.Time()})
	}
	return w.end()
}

func (s *simulation) summary() engine.ReplaySummary {
	s.done.Buckets = make([]engine.BucketTally, len(s.registry.Buckets))
	for i := range s.registry.Buckets {
		s.done.Buckets[i].BucketID = s.registry.Buckets[i].ID
	}
	for _, t := range s.transitions() {
		switch b := &s.done.Buckets[t.Bucket]; t.Kind {
		case bucketgen.Entered:
			b.Entered++
			b.Active++
		case bucketgen.Left:
			b.Left++
			b.Active--
		}
	}
	if s.world != nil {
		s.done.End = s.world.Now().Time()
	}
	return s.done
}
