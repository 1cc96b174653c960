package sheet

import (
	"encoding/csv"
	"io"
	"strings"
)

// Writer writes CSV whose cells a spreadsheet shows and does not run. A cell that begins like a
// formula, or with a blank, gets an apostrophe in front, as OWASP advises. [Row.Cell] and
// [Row.Exact] remove it, so that written files read back unchanged.
type Writer struct{ csv *csv.Writer }

// NewWriter returns a writer of CSV.
func NewWriter(out io.Writer) *Writer { return &Writer{csv.NewWriter(out)} }

// Write writes a row. It is buffered until Flush.
func (w *Writer) Write(cells ...string) error {
	row := make([]string, len(cells))
	for i, cell := range cells {
		// A reader of CSV takes a carriage return before a newline for a part of the newline, and
		// drops it. Of two it drops one.
		row[i] = strings.ReplaceAll(shown(cell), "\r\n", "\r\r\n")
	}
	return w.csv.Write(row)
}

// Flush writes what is buffered, and returns the first error.
func (w *Writer) Flush() error {
	w.csv.Flush()
	return w.csv.Error()
}

// formula begins a cell that a spreadsheet may run or split, including the full-width forms.
const formula = "=+-@\t\r\n ＝＋－＠"

func beginsFormula(s string) bool { return s != "" && strings.IndexAny(s, formula) == 0 }

// shown puts an apostrophe in front of a cell that would be run, and of one that seems to have such
// an apostrophe.
func shown(cell string) string {
	if beginsFormula(cell) || apostrophized(cell) {
		return "'" + cell
	}
	return cell
}

// meant removes the apostrophe that shown put in front.
func meant(cell string) string {
	if apostrophized(cell) {
		return cell[1:]
	}
	return cell
}

// apostrophized reports whether shown put, or would put, the apostrophe in front of a cell there.
func apostrophized(cell string) bool {
	rest, quoted := strings.CutPrefix(cell, "'")
	return quoted && (beginsFormula(rest) || strings.HasPrefix(rest, "'"))
}
