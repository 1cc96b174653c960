package sheet_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/bucketgen/bucketgen/internal/sheet"
)

func write(t *testing.T, cells ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := sheet.NewWriter(&b)
	if err := w.Write("user", "last"); err != nil {
		t.Fatal(err)
	}
	for _, cell := range cells {
		if err := w.Write(cell, "x"); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriter(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ cell, want string }{
		{"ada", "ada"},
		{"=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"},
		{"+1", "'+1"},
		{"-1", "'-1"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"\t=1", "'\t=1"},
		{"\r=1", "'\r=1"},
		{" =1", "' =1"},
		{"＝1", "'＝1"},
		{"'tis", "'tis"},
		{"'=1", "''=1"},
		{"''", "'''"},
		{"'", "'"},
		{"", ""},
		{"a=b", "a=b"},
	} {
		rows, err := csv.NewReader(strings.NewReader(write(t, test.cell))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if got := rows[1][0]; got != test.want {
			t.Errorf("%q: got %q, want %q", test.cell, got, test.want)
		}
	}
}

// FuzzSheet checks that written cells read back unchanged, that no cell begins like a formula, and
// that reading any text ends.
func FuzzSheet(f *testing.F) {
	for _, seed := range []string{"ada", "=1", "'=1", "''", "a\r\nb", "\r\r\n", " a ", "'", "\"", "a,b", "\ufeffx", "user,n:number\n=1,2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		readAll(text)
		if utf8.ValidString(text) {
			roundTrip(t, text)
		}
	})
}

// readAll reads any text as a sheet.
func readAll(text string) {
	s, err := sheet.Open(strings.NewReader(text), ',')
	if err != nil {
		return
	}
	for row, err := range s.Rows() {
		if err != nil {
			continue
		}
		for _, c := range s.Columns {
			_ = row.Cell(c.Name)
		}
		_, _ = row.Object(func(column string) (string, sheet.Type) { return column, sheet.Text })
	}
}

// roundTrip writes a cell and reads it.
func roundTrip(t *testing.T, text string) {
	t.Helper()
	written := write(t, text)
	rows, err := csv.NewReader(strings.NewReader(written)).ReadAll()
	if err != nil {
		t.Fatalf("%q was written as %q: %v", text, written, err)
	}
	if strings.IndexAny(rows[1][0], "=+-@\t\r\n") == 0 {
		t.Fatalf("%q was written as %q, which begins as a formula", text, rows[1][0])
	}
	s, err := sheet.Open(strings.NewReader(written), ',')
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range s.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if got := row.Exact("user"); got != text {
			t.Fatalf("%q was read as %q", text, got)
		}
		if got := row.Cell("user"); strings.TrimSpace(text) == text && got != text {
			t.Fatalf("%q was read as %q without blanks", text, got)
		}
	}
}
