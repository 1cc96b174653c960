package archtest_test

import (
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// commentColumns is how wide a comment may be that is a line of its own. A tab counts as 4 columns.
const commentColumns = 100

// unbreakable are comments that have to be one line: directives, and the output of examples.
var unbreakable = regexp.MustCompile(`^//(?:[a-z]+:\S|nolint| (?:Unordered output|Output):)`)

// TestCommentWidth checks that comments in Go and SQL wrap at 100 columns. Comments behind code do
// not count.
func TestCommentWidth(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	for _, file := range written(t, root) {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(file, "/testdata/") || bytes.HasPrefix(text, []byte("// Code generated ")) {
			continue
		}
		lines := bytes.Split(text, []byte("\n"))
		var numbers []int
		switch path.Ext(file) {
		case ".go":
			numbers = goComments(t, file, text)
		case ".sql":
			for i := range lines {
				numbers = append(numbers, i)
			}
		}
		for _, i := range numbers {
			line := string(lines[i])
			comment := strings.TrimLeft(line, "\t ")
			if !strings.HasPrefix(comment, "//") && !strings.HasPrefix(comment, "--") {
				continue // behind code, or none
			}
			if columns := utf8.RuneCountInString(line) + 3*strings.Count(line, "\t"); columns > commentColumns {
				t.Errorf("%s:%d: the comment has %d columns; wrap it at %d", file, i+1, columns, commentColumns)
			}
		}
	}
}

// goComments returns the indices of the lines with comments that can be wrapped.
func goComments(t *testing.T, file string, text []byte) (numbers []int) {
	t.Helper()
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range parsed.Comments {
		output := false
		for _, c := range group.List {
			fixed := unbreakable.MatchString(c.Text)
			output = output || fixed && strings.Contains(c.Text, "utput:")
			if !fixed && !output {
				numbers = append(numbers, set.Position(c.Pos()).Line-1)
			}
		}
	}
	return numbers
}
