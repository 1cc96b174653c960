// Package sheet reads CSV files whose first line names the columns, and whose cells become JSON
// values.
package sheet

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bucketgen/bucketgen/registry/table"
)

// Column is a column of a sheet.
type Column struct {
	Name string
	Type Type // from the first line, behind a colon: "age:number"
}

// Type is the type of the cells of a column.
type Type string

// The types of cells. An empty cell has no value, whatever its type.
const (
	Unsaid Type = "" // not in the first line
	Text   Type = "text"
	Number Type = "number"
	Bool   Type = "bool"
	Time   Type = "time" // RFC 3339
	JSON   Type = "json" // any JSON value
)

var types = []Type{Text, Number, Bool, Time, JSON}

// TypeOf returns the type of cells with values of a kind: text, if the kind is unknown.
func TypeOf(k table.ValueKind) Type {
	switch k {
	case table.Number:
		return Number
	case table.Bool:
		return Bool
	case table.Time:
		return Time
	case table.Composite, table.List:
		return JSON
	default:
		return Text
	}
}

// Sheet is an open file.
type Sheet struct {
	Columns []Column

	csv *csv.Reader
}

// Row is a line of a sheet below the first.
type Row struct {
	Line int

	sheet *Sheet
	cells []string
}

// LineError is a mistake in a line. Other lines can be read.
type LineError struct {
	Line    int
	Column  string // empty: the line as a whole
	Problem string
}

func (e *LineError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.Problem)
	}
	return fmt.Sprintf("line %d: %s: %s", e.Line, e.Column, e.Problem)
}

// Open reads the first line of a file whose cells are separated by a character.
func Open(in io.Reader, separator rune) (*Sheet, error) {
	buffered := bufio.NewReader(in)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" { // spreadsheets begin files with it
		_, _ = buffered.Discard(3)
	}
	s := &Sheet{csv: csv.NewReader(buffered)}
	s.csv.Comma, s.csv.ReuseRecord = separator, true
	first, err := s.csv.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty; its first line names the columns")
	case err != nil:
		return nil, fmt.Errorf("the first line, which names the columns, cannot be read: %w", err)
	}
	for i, text := range first {
		if !utf8.ValidString(text) {
			return nil, fmt.Errorf("the name of column %d is not valid UTF-8; save the file as UTF-8", i+1)
		}
		c, err := column(text)
		if err != nil {
			return nil, err
		}
		if s.Has(c.Name) {
			return nil, fmt.Errorf("two columns are called %q", c.Name)
		}
		s.Columns = append(s.Columns, c)
	}
	return s, nil
}

func column(text string) (Column, error) {
	name, typ, typed := strings.Cut(strings.TrimSpace(text), ":")
	c := Column{Name: strings.TrimSpace(name), Type: Type(strings.TrimSpace(typ))}
	switch {
	case c.Name == "":
		return c, errors.New("a column has no name; the first line names them all")
	case typed && !slices.Contains(types, c.Type):
		return c, fmt.Errorf("column %q: there is no type %q; write text, number, bool, time or json", c.Name, c.Type)
	}
	return c, nil
}

// Has reports whether there is a column of that name.
func (s *Sheet) Has(name string) bool {
	return slices.ContainsFunc(s.Columns, func(c Column) bool { return c.Name == name })
}

// Rows iterates over the lines below the first. After a [*LineError] it continues, after any other
// error it ends. A row is valid until the next one.
func (s *Sheet) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for {
			cells, err := s.csv.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			wrong, isWrong := errors.AsType[*csv.ParseError](err)
			switch {
			case isWrong:
				problem := "has a quote where none can be; put cells with quotes in quotes, and the quotes in them twice"
				if errors.Is(wrong.Err, csv.ErrFieldCount) {
					problem = fmt.Sprintf("has %d cells, and there are %d columns", len(cells), len(s.Columns))
				}
				if !yield(Row{}, &LineError{Line: wrong.StartLine, Problem: problem}) {
					return
				}
			case err != nil:
				yield(Row{}, err)
				return
			default:
				if !yield(s.row(cells)) {
					return
				}
			}
		}
	}
}

// row returns a row of cells that are text.
func (s *Sheet) row(cells []string) (Row, error) {
	line, _ := s.csv.FieldPos(0)
	for i, cell := range cells {
		if !utf8.ValidString(cell) {
			return Row{}, &LineError{Line: line, Column: s.Columns[i].Name, Problem: "is not valid UTF-8; save the file as UTF-8"}
		}
	}
	return Row{Line: line, sheet: s, cells: cells}, nil
}

// Cell returns the cell in the column of a name, without the blanks around it; empty if there is no
// such column.
func (r *Row) Cell(name string) string { return trimmed(r.cell(name)) }

// Exact returns the cell in the column of a name as [Writer] received it, with the blanks around
// it.
func (r *Row) Exact(name string) string { return meant(r.cell(name)) }

func (r *Row) cell(name string) string {
	for i := range r.sheet.Columns {
		if r.sheet.Columns[i].Name == name {
			return r.cells[i]
		}
	}
	return ""
}

// trimmed returns a cell without the blanks around it, unless an apostrophe marks them as content.
func trimmed(cell string) string {
	if cell = strings.TrimSpace(cell); apostrophized(cell) {
		return meant(cell)
	}
	return cell
}

// Object returns a JSON object of the columns for which name returns a name. name also returns the
// type of a column without one. The object is nil if all cells are empty.
func (r *Row) Object(name func(column string) (field string, typ Type)) (json.RawMessage, error) {
	object := map[string]json.RawMessage{}
	for i, c := range r.sheet.Columns {
		field, typ := name(c.Name)
		cell := trimmed(r.cells[i])
		if field == "" || cell == "" {
			continue
		}
		if c.Type != Unsaid {
			typ = c.Type
		}
		value, err := valueOf(cell, typ)
		if err != nil {
			return nil, &LineError{Line: r.Line, Column: c.Name, Problem: err.Error()}
		}
		if object[field] != nil {
			return nil, &LineError{Line: r.Line, Column: c.Name, Problem: fmt.Sprintf("gives %s again, which another column gives", field)}
		}
		object[field] = value
	}
	if len(object) == 0 {
		return nil, nil
	}
	return json.Marshal(object)
}

func valueOf(cell string, typ Type) (json.RawMessage, error) {
	switch typ {
	case Number:
		var n json.Number
		if err := json.Unmarshal([]byte(cell), &n); err != nil || cell[0] == '"' {
			return nil, fmt.Errorf("%q is no number; write it like 1234.5", cell)
		}
		return json.RawMessage(cell), nil
	case Bool:
		if lower := strings.ToLower(cell); lower == "true" || lower == "false" {
			return json.RawMessage(lower), nil
		}
		return nil, fmt.Errorf("%q is neither true nor false", cell)
	case Time:
		if _, err := time.Parse(time.RFC3339Nano, cell); err != nil {
			return nil, fmt.Errorf("%q is no time; write it like 2026-11-23T09:30:00Z", cell)
		}
	case JSON:
		if !json.Valid([]byte(cell)) {
			return nil, fmt.Errorf("%q is no JSON", cell)
		}
		return json.RawMessage(cell), nil
	case Text, Unsaid:
	}
	return json.Marshal(cell)
}
