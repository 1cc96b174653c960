package server

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestOneWayToPrint checks that commands print by package printable and by table, which escape
// texts that users chose, and not past them. What answers requests, stream.go, writes JSON.
func TestOneWayToPrint(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no files", err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "stream.go" {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			if spec.Path.Value == `"text/tabwriter"` {
				t.Errorf("%s: text/tabwriter lets a text forge rows; use newTable", set.Position(spec.Pos()))
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && fmt.Sprint(s.X) == "fmt" && strings.HasPrefix(s.Sel.Name, "Fprint") {
				t.Errorf("%s: fmt.%s prints texts of users as they are; use printable.Fprintf", set.Position(s.Pos()), s.Sel.Name)
			}
			return true
		})
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	rows := newTable(&b, "USER", "N", "LAST")
	rows.row("a\tb\nc", 7, "x")
	rows.row("東京", 10, "")
	rows.row("e\u0301", -1, "\x1b")
	if err := rows.end(); err != nil {
		t.Fatal(err)
	}
	want := "USER         N   LAST\n" +
		`a\x09b\x0ac  7   x` + "\n" +
		"東京         10  \n" +
		"e\u0301            -1  " + `\x1b` + "\n"
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestLongTable prints more rows than are aligned together.
func TestLongTable(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	rows := newTable(&b, "N", "TEXT")
	for i := range 2*tableBlock + 1 {
		rows.row(i, "x")
	}
	if err := rows.end(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(b.String(), "\n"); got != 2*tableBlock+2 {
		t.Errorf("got %d lines, want %d", got, 2*tableBlock+2)
	}
	if !strings.HasSuffix(b.String(), "\n2000  x\n") || !strings.HasPrefix(b.String(), "N    TEXT\n0    x\n") {
		t.Errorf("rows are not aligned: %q", b.String()[:40])
	}
}
