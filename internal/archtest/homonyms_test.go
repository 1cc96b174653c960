package archtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// homonyms are words that once named several things each. None of them names a function, a type, a
// variable or a constant of a package, in any case, except those of meanings.
var homonyms = []string{"look", "settle", "tell", "turn", "follow", "take", "leave", "end", "place", "within", "standing", "mark", "facts", "step"}

// meanings are the one meaning that a word has kept, by the folders that declare it.
var meanings = map[string][]string{
	"facts":  {"registry/table", "internal/refeval", "internal/refeval/draw"}, // what is known of one user
	"settle": {"internal/refeval"},                                            // the clock does what is due
	"step":   {"engine"},                                                      // a step of time: an hour or a day
	"within": {"registry/table"},                                              // a window up to now
}

// retired are names that said nothing before a reader knew what they named. The field has a term
// for each, so not even a method or a field bears them, in any case.
var retired = []string{
	"arm", "armer", "attend", "broke", "caught", "courier", "fate", "gate", "glance", "glimpse", "invite", "look", "looker", "ordinal",
	"pursuit", "quest", "recollect", "sieve", "sight", "teller", "trail",
}

// TestHomonyms checks that no package declares a name that once had several meanings, and no type a
// member with a retired name.
func TestHomonyms(t *testing.T) {
	t.Parallel()
	for _, file := range goFiles(t) {
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", file), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, name := range declared(parsed) {
			word := strings.ToLower(name)
			if slices.Contains(homonyms, word) && !slices.Contains(meanings[word], path.Dir(file)) {
				t.Errorf("%s declares %s, a word with several meanings; name the thing by its own word", file, name)
			}
		}
		for _, name := range append(declared(parsed), members(parsed)...) {
			if slices.Contains(retired, strings.ToLower(name)) {
				t.Errorf("%s declares %s; use the field's term", file, name)
			}
		}
	}
}

// members returns the names of the methods and fields that a file declares.
func members(file *ast.File) []string {
	var names []string
	add := func(fields *ast.FieldList) {
		for _, f := range fields.List {
			for _, name := range f.Names {
				names = append(names, name.Name)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv != nil {
				names = append(names, n.Name.Name)
			}
		case *ast.StructType:
			add(n.Fields)
		case *ast.InterfaceType:
			add(n.Methods)
		}
		return true
	})
	return names
}

// declared returns the names that a file declares for its package.
func declared(file *ast.File) []string {
	var names []string
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					names = append(names, spec.Name.Name)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

// goFiles lists the Go files of the repository that people write, tests too, by their path from
// root.
func goFiles(t *testing.T) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard", "*.go")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list the files of the repository: %v", err)
	}
	var files []string
	for file := range strings.Lines(string(out)) {
		file = strings.TrimSpace(file)
		generated := strings.HasSuffix(file, "_gen.go") || strings.HasSuffix(file, "_templ.go") || strings.HasPrefix(file, "gen/")
		if !generated && !strings.Contains(file, "testdata/") {
			files = append(files, file)
		}
	}
	return files
}
