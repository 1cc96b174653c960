package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/printable"
	"github.com/bucketgen/bucketgen/internal/segment"
	"github.com/bucketgen/bucketgen/internal/sheet"
)

// importFlags are the options of an import.
type importFlags struct {
	separator string
	errors    string
	mode      string // of members
}

// imported is what an import came to.
type imported struct {
	Taken      int64 `json:"taken"`
	Duplicates int64 `json:"duplicates,omitempty"`
	Refused    int64 `json:"refused"`
	Entered    int64 `json:"entered"` // buckets, or the bucket
	Left       int64 `json:"left"`
}

const importErrors = `A refused line is reported with its number and the reason: the first 20 on standard error, all of
them in the CSV file of --errors. The other lines are imported, and the exit code is 1. The file may
be compressed by gzip.`

func (c *cli) importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Import users, events or members of manual buckets from a CSV file",
		Long: `Imports a CSV file. The first line names the columns. A column name can carry a type: age:number,
vip:bool, seen:time, tags:json, zip:text. Without one, a column has the type that the buckets declare
for it, or else text. Empty cells are ignored. An apostrophe in front of =, +, -, @ or a blank, which
export adds, is not part of the value.

` + importErrors,
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(c.importContactsCommand(), c.importEventsCommand(), c.importMembersCommand())
	return cmd
}

func (c *cli) importContactsCommand() *cobra.Command {
	return c.importer("contacts FILE|-", "Set traits of users", `Sets traits of users. The column userId names the user; every other column is a trait.

  userId,email,plan,seats:number
  ada,ada@example.com,pro,12

Memberships change as they do when an application sets the traits.

`+importErrors, "  "+c.host.Name+" import contacts users.csv --errors refused.csv", c.contactOf)
}

func (c *cli) importEventsCommand() *cobra.Command {
	return c.importer("events FILE|-", "Import past events", `Imports events with the times at which they occurred. The columns userId, event and timestamp are
required, messageId makes a line idempotent, and every other column is a property of the event.

  userId,event,timestamp,messageId,total:number
  ada,order,2026-11-23T09:30:00Z,4711,19.90

Past events count from the time at which they occurred: a user who would have left a bucket by now
does not join it. To run the past in virtual time, with all its joins and leaves, use replay.

`+importErrors, "  "+c.host.Name+" import events orders.csv.gz", c.eventOf)
}

// reading makes an event of a line.
type reading func(s *sheet.Sheet, row *sheet.Row) (engine.Event, error)

func (c *cli) importer(use, short, long, example string, read func(*sheet.Sheet) (reading, error)) *cobra.Command {
	var flags importFlags
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example,
		Args: takes(1, "one FILE, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withSheet(cmd, args[0], flags, func(in *importing) error {
				made, err := read(in.sheet)
				if err != nil {
					return err
				}
				return c.withRunningEngine(cmd, "", func(e *engine.Engine) error { return in.events(e, made) })
			})
		},
	}
	flags.add(cmd)
	return cmd
}

func (f *importFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.separator, "separator", ",", "the `CHARACTER` between cells")
	cmd.Flags().StringVar(&f.errors, "errors", "", "write refused lines to this CSV `FILE`: line,field,problem")
}

// importing is an import that runs.
type importing struct {
	cmd    *cobra.Command
	sheet  *sheet.Sheet
	shown  *progress
	report *refusals
	done   imported
}

// withSheet opens the file of an import, and prints its result.
func (c *cli) withSheet(cmd *cobra.Command, name string, flags importFlags, do func(*importing) error) (err error) {
	separator, size := utf8.DecodeRuneInString(flags.separator)
	if size == 0 || size < len(flags.separator) {
		return fmt.Errorf("--separator is %q; it must be one character", flags.separator)
	}
	file, length, err := openInput(cmd, name)
	if err != nil {
		return err
	}
	defer file.Close()
	in := &importing{cmd: cmd, report: &refusals{out: cmd.ErrOrStderr()}}
	if flags.errors != "" {
		if err := in.report.open(flags.errors); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, in.report.close()) }()
	}
	in.shown = newInputProgress(cmd.ErrOrStderr(), length, "import", "line")
	input := interruptible(cmd.Context(), in.shown.reader(file))
	defer input.Close()
	plain, err := unzipped(input)
	if err != nil {
		return err
	}
	if in.sheet, err = sheet.Open(plain, separator); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if !in.sheet.Has(userColumn) {
		return fmt.Errorf("%s: there is no column %s", name, userColumn)
	}
	err = do(in)
	in.shown.end()
	if err != nil {
		return in.ended(err)
	}
	in.done.Refused = in.report.n
	if err := c.print(cmd, in.done, in.summary); err != nil {
		return err
	}
	if in.report.n > 0 {
		return &refusedError{in.report.n, "line"}
	}
	return nil
}

// ended says how far an import came that did not get to its end.
func (in *importing) ended(err error) error {
	if in.cmd.Context().Err() != nil {
		err = errInterrupted
	}
	if n := in.done.Taken + in.done.Duplicates; n > 0 {
		err = fmt.Errorf("%w after %s; run it again to continue", err, count(n, "line"))
	}
	return err
}

func (in *importing) summary(out io.Writer) error {
	return printable.Fprintf(out, "imported %s: %s, %s\n", count(in.done.Taken+in.done.Duplicates, "line"), count(in.done.Entered, "join"), count(in.done.Left, "leave"))
}

// importBatch is how many lines go to the engine at once.
const importBatch = 2000

// events takes in what the lines are read as.
func (in *importing) events(e *engine.Engine, read reading) error {
	var batch []engine.Event
	var numbers []int
	for row, err := range in.sheet.Rows() {
		if err == nil {
			var ev engine.Event
			if ev, err = read(in.sheet, &row); err == nil {
				batch, numbers = append(batch, ev), append(numbers, row.Line)
			}
		}
		if err != nil && !in.report.take(row.Line, err) {
			return err
		}
		if len(batch) == importBatch {
			if err := in.ingest(e, batch, numbers); err != nil {
				return err
			}
			batch, numbers = batch[:0], numbers[:0]
		}
	}
	return in.ingest(e, batch, numbers)
}

func (in *importing) ingest(e *engine.Engine, batch []engine.Event, numbers []int) error {
	results, err := e.IngestBatch(in.cmd.Context(), batch)
	if len(results) < len(batch) {
		return err
	}
	for i := range results {
		switch r := &results[i]; {
		case r.Err != nil:
			if !in.report.take(numbers[i], r.Err) {
				return r.Err
			}
		case r.Duplicate:
			in.done.Duplicates++
		default:
			in.done.Taken++
			in.count(r.Transitions)
		}
	}
	in.shown.events(in.done.Taken + in.done.Duplicates)
	return nil
}

func (in *importing) count(transitions []engine.Transition) {
	for _, t := range transitions {
		switch t.Kind {
		case engine.Entered:
			in.done.Entered++
		case engine.Left:
			in.done.Left++
		}
	}
}

// refusals reports lines that were refused.
type refusals struct {
	out  io.Writer
	file *os.File
	csv  *sheet.Writer
	n    int64
}

func (r *refusals) open(name string) (err error) {
	if r.file, err = os.Create(name); err != nil {
		return err
	}
	r.csv = sheet.NewWriter(r.file)
	return r.csv.Write("line", "field", "problem")
}

func (r *refusals) close() error {
	return errors.Join(r.csv.Flush(), r.file.Close())
}

// take reports a line, unless the error is not about it.
func (r *refusals) take(line int, err error) bool {
	var field, problem string
	var ofLine *sheet.LineError
	var invalid *engine.InvalidError
	switch {
	case errors.As(err, &ofLine):
		line, field, problem = ofLine.Line, ofLine.Column, ofLine.Problem
	case errors.As(segment.Named(err), &invalid):
		field, problem = invalid.Field, invalid.Problem
	default:
		return false
	}
	const most = 20
	switch r.n++; {
	case r.n <= most && field != "":
		printable.Fprintf(r.out, "line %d: %s: %s\n", line, field, problem)
	case r.n <= most:
		printable.Fprintf(r.out, "line %d: %s\n", line, problem)
	case r.n == most+1:
		printable.Fprintf(r.out, "more lines were refused; they are counted only\n")
	}
	if r.csv != nil {
		_ = r.csv.Write(strconv.Itoa(line), field, problem) // close says whether that failed
	}
	return true
}
