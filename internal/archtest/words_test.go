package archtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGlossary checks that docs/reference/glossary.md names something in code or SQL for every
// word, and that all of that exists.
func TestGlossary(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	sql := columns(t, filepath.Join(root, "engine", "migrate", "sql", "00001_init.sql"))
	packages := map[string]map[string]bool{}
	words := 0
	for line := range strings.Lines(read(t, filepath.Join(root, "docs", "reference", "glossary.md"))) {
		cells := strings.Split(strings.Trim(line, "|\n "), " | ")
		if !strings.HasPrefix(line, "| **") {
			continue
		}
		words++
		if len(cells) != 3 {
			t.Errorf("got %d cells, want a word, its meaning and its names: %s", len(cells), line)
			continue
		}
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[2], -1) {
			folder, rest, _ := strings.Cut(name[1], ".")
			if folder == "bucketgen" && strings.ToLower(rest) == rest {
				if !sql[rest] {
					t.Errorf("%s: there is no table or column %s", cells[0], name[1])
				}
				continue
			}
			if packages[folder] == nil {
				packages[folder] = declarations(t, filepath.Join(root, strings.TrimPrefix(folder, "bucketgen")), "*.go")
			}
			if !packages[folder][rest] {
				t.Errorf("%s: %s does not exist", cells[0], name[1])
			}
		}
	}
	if words < 40 {
		t.Errorf("got %d words, want those of the whole project", words)
	}
}

// TestMatchingNamesCode checks that what docs/explanation/matching.md says is in a file of
// registry/table is there.
func TestMatchingNamesCode(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	text := strings.ReplaceAll(read(t, filepath.Join(root, "docs", "explanation", "matching.md")), "\n", " ")
	named := 0
	for _, m := range regexp.MustCompile("((?:`\\w+`(?:, | and )?)+) in `(match_\\w+\\.go)`").FindAllStringSubmatch(text, -1) {
		has := declarations(t, filepath.Join(root, "registry", "table"), m[2])
		for _, name := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(m[1], -1) {
			named++
			if !has[name[1]] {
				t.Errorf("%s does not declare %s", m[2], name[1])
			}
		}
	}
	if named < 10 {
		t.Errorf("got %d names, want one or more for each part of the flat form", named)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// columns returns the tables of a migration, and their columns as table.column.
func columns(t *testing.T, file string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?ms)^create table bucketgen\.(\w+) \((.*?)^\)`).FindAllStringSubmatch(read(t, file), -1) {
		found[m[1]] = true
		for _, column := range regexp.MustCompile(`(?m)^    (\w+) +\w`).FindAllStringSubmatch(m[2], -1) {
			found[m[1]+"."+column[1]] = true
		}
	}
	return found
}

// declarations returns what the files of a folder declare: names of the package, and those of
// fields and methods both alone and behind their type.
func declarations(t *testing.T, folder, pattern string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil || len(files) == 0 {
		t.Errorf("%s has no %s: %v", folder, pattern, err)
	}
	found := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				found[d.Name.Name], found[qualified(d)] = true, true
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					declare(found, spec)
				}
			}
		}
	}
	return found
}

func declare(found map[string]bool, spec ast.Spec) {
	switch s := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range s.Names {
			found[name.Name] = true
		}
	case *ast.TypeSpec:
		found[s.Name.Name] = true
		if fields, is := s.Type.(*ast.StructType); is {
			for _, field := range fields.Fields.List {
				for _, name := range field.Names {
					found[s.Name.Name+"."+name.Name] = true
				}
			}
		}
	}
}
