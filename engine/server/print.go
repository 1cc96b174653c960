package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rivo/uniseg"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/bucketgen/bucketgen/internal/printable"
)

// print prints what a command found: as JSON if that is asked for, and else as the text that it
// writes.
func (c *cli) print(cmd *cobra.Command, v any, text func(out io.Writer) error) error {
	if c.asJSON {
		return printObject(cmd.OutOrStdout(), v)
	}
	return text(cmd.OutOrStdout())
}

// printList prints what a command found of several things: as a JSON object per line if that is
// asked for, and else as the text that it writes.
func printList[T any](c *cli, cmd *cobra.Command, all []T, text func(out io.Writer) error) error {
	if !c.asJSON {
		return text(cmd.OutOrStdout())
	}
	w := json.NewEncoder(cmd.OutOrStdout())
	for i := range all {
		if err := w.Encode(all[i]); err != nil {
			return err
		}
	}
	return nil
}

// printObject prints one object, for people to read as well.
func printObject(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// textTable prints rows in columns. A cell is one line, whatever the text in it is, so that no text
// can forge a row. The first error of the output ends the table; end returns it.
type textTable struct {
	out    io.Writer
	rows   [][]string // that were not written yet
	widths []int      // of the columns so far
	err    error
}

// tableBlock is how many rows are aligned together. A longer table is written while it is read.
const tableBlock = 1000

func newTable(out io.Writer, header ...any) *textTable {
	t := &textTable{out: out}
	t.row(header...)
	return t
}

// row adds a row. The cells are printed as by [fmt.Sprint].
func (t *textTable) row(cells ...any) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = printable.Text(fmt.Sprint(cell))
		if i == len(t.widths) {
			t.widths = append(t.widths, 0)
		}
		t.widths[i] = max(t.widths[i], uniseg.StringWidth(row[i]))
	}
	if t.rows = append(t.rows, row); len(t.rows) == tableBlock {
		t.flush()
	}
}

func (t *textTable) flush() {
	var b strings.Builder
	for _, row := range t.rows {
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", t.widths[i]-uniseg.StringWidth(cell)+2))
			}
		}
		b.WriteByte('\n')
	}
	t.rows = t.rows[:0]
	if t.err == nil {
		_, t.err = io.WriteString(t.out, b.String())
	}
}

// end writes what is left of the table.
func (t *textTable) end() error {
	t.flush()
	return t.err
}

// escaping returns the outputs of a command line, in which nothing reaches a terminal as a control
// character, and a function that ends them.
func escaping(stdout, stderr io.Writer) (out, errs *printable.Writer, end func() error) {
	out, errs = printable.NewWriter(stdout), printable.NewWriter(stderr)
	return out, errs, func() error { return errors.Join(out.Flush(), errs.Flush()) }
}

// terminal returns the terminal that an output of a command is, if it is one. Only what draws on it
// may write to it directly.
func terminal(out io.Writer) (*os.File, bool) {
	f, ok := unescaped(out).(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// dataOf returns an output of a command for data that other programs read back. On a terminal they
// are escaped as all else.
func dataOf(out io.Writer) io.Writer {
	if _, is := terminal(out); is {
		return out
	}
	return unescaped(out)
}

func unescaped(out io.Writer) io.Writer {
	if w, ok := out.(*printable.Writer); ok {
		return w.Unwrap()
	}
	return out
}
