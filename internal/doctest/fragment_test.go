package doctest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// imports are the packages that fragments of Go name, by their name.
var imports = map[string]string{
	"bucket":           "github.com/bucketgen/bucketgen/bucket",
	"bucketgen":        "github.com/bucketgen/bucketgen",
	"buckettest":       "github.com/bucketgen/bucketgen/bucket/buckettest",
	"client":           "github.com/bucketgen/bucketgen/engine/server/client",
	"engine":           "github.com/bucketgen/bucketgen/engine",
	"gen":              "github.com/bucketgen/bucketgen/gen",
	"hatchet":          "github.com/bucketgen/bucketgen/engine/hatchet",
	"lookup":           "github.com/bucketgen/bucketgen/engine/lookup",
	"migrate":          "github.com/bucketgen/bucketgen/engine/migrate",
	"mirror":           "github.com/bucketgen/bucketgen/engine/mirror",
	"registry":         "github.com/bucketgen/bucketgen/registry",
	"server":           "github.com/bucketgen/bucketgen/engine/server",
	"webhook":          "github.com/bucketgen/bucketgen/engine/webhook",
	"pgx":              "github.com/jackc/pgx/v5",
	"pgxpool":          "github.com/jackc/pgx/v5/pgxpool",
	"standardwebhooks": "github.com/standard-webhooks/standard-webhooks/libraries/go",
	"context":          "context",
	"errors":           "errors",
	"fmt":              "fmt",
	"http":             "net/http",
	"io":               "io",
	"os":               "os",
	"slog":             "log/slog",
	"testing":          "testing",
	"time":             "time",
}

// TestFragments compiles every block of Go that is no file of a guide. A page may use what
// testdata/given.go declares for all, and what testdata/PAGE.go declares for it.
func TestFragments(t *testing.T) {
	t.Parallel()
	from := exported(t)
	own := newWithGen(t, from)
	compiled := 0
	for _, page := range pages(t, "docs", "README.md") {
		sources := map[string]string{"given.go": given(t, "given")}
		name := strings.TrimSuffix(filepath.Base(page), ".md")
		if _, err := os.Stat(filepath.Join("testdata", name+".go")); err == nil {
			sources[name+".go"] = given(t, name)
		}
		before := len(sources)
		for _, b := range blocks(t, page) {
			if b.lang == "go" && b.file == "" && b.shown == "" {
				sources[fmt.Sprintf("%s:%d", b.page, b.line)] = fragment(b)
			}
		}
		if len(sources) > before {
			compiled += len(sources) - before
			if name == "criteria" {
				compile(t, own, sources)
			} else {
				compile(t, from, sources)
			}
		}
	}
	if compiled < 10 {
		t.Errorf("got %d blocks of Go, want those of all pages", compiled)
	}
}

func given(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".go"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fragment makes a file of a block: declarations stay, statements get a function around them.
func fragment(b block) string {
	if regexp.MustCompile(`(?m)^package `).MatchString(b.text) {
		return b.text
	}
	var head strings.Builder
	head.WriteString("package page; ")
	for name, path := range imports {
		if regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(b.text) {
			fmt.Fprintf(&head, "import %s %q; ", name, path)
		}
	}
	file := head.String() + "\n" + b.text
	if _, err := parser.ParseFile(token.NewFileSet(), "", file, parser.SkipObjectResolution); err == nil {
		return file
	}
	return head.String() + "func _() {\n" + b.text + "}\n"
}

// compile reports what is wrong with the files of a page, but for variables that are not used and
// are declared once more, as in a page they may be.
func compile(t *testing.T, from types.Importer, sources map[string]string) {
	t.Helper()
	files := token.NewFileSet()
	var parsed []*ast.File
	for name, source := range sources {
		f, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("%v\n%s", err, source)
			continue
		}
		parsed = append(parsed, f)
	}
	config := types.Config{Importer: from, Error: func(err error) {
		if e, is := errors.AsType[types.Error](err); !is || !e.Soft {
			t.Errorf("in a block of Go: %v", err)
		}
	}}
	_, _ = config.Check("page", files, parsed, nil) // each error is reported already
}

// exported returns an importer of the packages that fragments import, as the go command compiled
// them.
func exported(t *testing.T) types.Importer {
	t.Helper()
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Export"}
	for _, path := range imports {
		args = append(args, path)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	var trouble bytes.Buffer
	cmd.Dir, cmd.Stderr = root, &trouble
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &trouble)
	}
	at := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export string }
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		at[p.ImportPath] = p.Export
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		if at[path] == "" {
			return nil, fmt.Errorf("no fragment imports %s", path)
		}
		return os.Open(at[path])
	})
}

// withGen is an importer for pages whose definitions are not those of this repository.
type withGen struct {
	types.Importer
	gen *types.Package
}

func newWithGen(t *testing.T, from types.Importer) withGen {
	t.Helper()
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, filepath.Join("testdata", "gen", "gen.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	config := types.Config{Importer: from}
	gen, err := config.Check(imports["gen"], files, []*ast.File{f}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return withGen{from, gen}
}

func (w withGen) Import(path string) (*types.Package, error) {
	if path == imports["gen"] {
		return w.gen, nil
	}
	return w.Importer.Import(path)
}
