package sheet

import (
	"encoding/csv"
	"io"
	"strings"
)

// Writer writes CSV whose cells a spreadsheet shows and does not run. A cell that begins as a formula does, or with a blank, gets
// an apostrophe in front, as OWASP advises; [Row.Cell] and [Row.Exact] take it off again, so that a file that was written is read
// as it was.
type Writer struct{ csv *csv.Writer }

// NewWriter returns a writer of CSV.
func NewWriter(out io.Writer) *Writer { return &Writer{csv.NewWriter(out)} }

// Write writes a row. It is buffered until Flush.
func (w *Writer) Write(cells ...string) error {
	row := make([]string, len(cells))
	for i, cell := range cells {
		// A reader of CSV takes a carriage return before a newline for a part of that, and drops it. Of two it drops one.
		row[i] = strings.ReplaceAll(shown(cell), "\r\n", "\r\r\n")
	}
	return w.csv.Write(row)
}

// Flush writes what is buffered, and returns the first error.
func (w *Writer) Flush() error {
	w.csv.Flush()
	return w.csv.Error()
}

// formula begins what a spreadsheet may run, or take apart: also in the wide forms that some of them know.
const formula = "=+-@\t\r\n ＝＋－＠"

func beginsFormula(s string) bool { return s != "" && strings.IndexAny(s, formula) == 0 }

// shown puts an apostrophe in front of a cell that would be run, and of one that looks as if that had been done to it.
func shown(cell string) string {
	if beginsFormula(cell) || apostrophized(cell) {
		return "'" + cell
	}
	return cell
}

// meant takes off the apostrophe that shown put in front.
func meant(cell string) string {
	if apostrophized(cell) {
		return cell[1:]
	}
	return cell
}

// apostrophized reports whether the apostrophe in front of a cell is one that shown put there, or would put there.
func apostrophized(cell string) bool {
	rest, quoted := strings.CutPrefix(cell, "'")
	return quoted && (beginsFormula(rest) || strings.HasPrefix(rest, "'"))
}
