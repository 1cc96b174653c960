package archtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEngineFiles holds package engine to the size of a facade: few files, few methods of Engine,
// and no other type that holds an engine. What an engine does is done by parts under internal,
// which are handed what they need.
func TestEngineFiles(t *testing.T) {
	t.Parallel()
	const mostFiles, mostMethods = 30, 45
	files, methods := 0, []string{}
	for _, file := range goFiles(t) {
		if path.Dir(file) != "engine" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		files++
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", file), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, d := range parsed.Decls {
			if f, is := d.(*ast.FuncDecl); is && f.Name.IsExported() && strings.HasPrefix(qualified(f), "Engine.") && !isGroup(f) {
				methods = append(methods, f.Name.Name)
			}
		}
		for _, name := range holders(parsed) {
			t.Errorf("%s: %s holds an Engine; hand it what it needs", file, name)
		}
	}
	slices.Sort(methods)
	if files == 0 || files > mostFiles {
		t.Errorf("engine has %d files beside its tests, want at most %d", files, mostFiles)
	}
	if len(methods) == 0 || len(methods) > mostMethods {
		t.Errorf("Engine exports %d methods beside its groups, want at most %d; add to a group: %s", len(methods), mostMethods, strings.Join(methods, " "))
	}
}

// isGroup reports whether a method returns the view of an engine that has its name.
func isGroup(f *ast.FuncDecl) bool {
	if f.Type.Results == nil || len(f.Type.Results.List) != 1 {
		return false
	}
	result, is := f.Type.Results.List[0].Type.(*ast.StarExpr)
	if !is {
		return false
	}
	name, is := result.X.(*ast.Ident)
	return is && name.Name == f.Name.Name
}

// holders returns the types of a file with a field of type Engine or *Engine.
func holders(file *ast.File) []string {
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		of, is := n.(*ast.TypeSpec)
		if !is {
			return true
		}
		ast.Inspect(of.Type, func(n ast.Node) bool {
			field, is := n.(*ast.Field)
			if !is {
				return true
			}
			typ := field.Type
			if pointer, is := typ.(*ast.StarExpr); is {
				typ = pointer.X
			}
			if name, is := typ.(*ast.Ident); is && name.Name == "Engine" {
				names = append(names, of.Name.Name)
			}
			return true
		})
		return true
	})
	return names
}
