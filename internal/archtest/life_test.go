package archtest_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLifeOfAnEvent checks that docs/explanation/life-of-an-event.md has at most twelve steps, and
// that every function it names is declared in the file named before it.
func TestLifeOfAnEvent(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "explanation", "life-of-an-event.md"))
	if err != nil {
		t.Fatal(err)
	}
	steps := regexp.MustCompile(`(?m)^\d+\. `).FindAllString(string(text), -1)
	if len(steps) == 0 || len(steps) > 12 {
		t.Errorf("got %d steps, want 1 to 12", len(steps))
	}
	named, file, files := 0, "", map[string]bool{}
	for _, code := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(string(text), -1) {
		switch name := code[1]; {
		case strings.HasSuffix(name, ".go"):
			file = name
			files[file] = true
		case file != "" && regexp.MustCompile(`^(\w+\.)?\w+$`).MatchString(name):
			named++
			if !declares(t, root, file, name) {
				t.Errorf("%s does not declare %s", file, name)
			}
		}
	}
	if named < len(steps) {
		t.Errorf("got %d functions for %d steps, want one or more for each", named, len(steps))
	}
	if says := fmt.Sprintf("The steps name %d files.", len(files)); !strings.Contains(string(text), says) {
		t.Errorf("the page does not say %q", says)
	}
}

// declares reports whether a function, or a method as Type.Method, is declared in a file.
func declares(t *testing.T, root, file, name string) bool {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, 0)
	if err != nil {
		t.Error(err)
		return false
	}
	for _, d := range parsed.Decls {
		if f, is := d.(*ast.FuncDecl); is && qualified(f) == name {
			return true
		}
	}
	return false
}

// qualified returns the name of a function, or Type.Method.
func qualified(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	if pointer, is := of.(*ast.StarExpr); is {
		of = pointer.X
	}
	if generic, is := of.(*ast.IndexExpr); is {
		of = generic.X
	}
	name, is := of.(*ast.Ident)
	if !is {
		return f.Name.Name
	}
	return name.Name + "." + f.Name.Name
}
