// Package bucketgen turns bucket definitions written in Go into the static code that runs them:
//
//	load → check → plan → emit → write
//
// load reads the definitions, check reports all mistakes, plan decides what is generated, emit
// prints it, and only write touches a file.
package bucketgen

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/internal/bucketgen/check"
	"github.com/bucketgen/bucketgen/internal/bucketgen/emit"
	"github.com/bucketgen/bucketgen/internal/bucketgen/load"
	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/bucketgen/write"
)

// DefaultTimeout is how long definitions may run by default.
const DefaultTimeout = 30 * time.Second

// Config says what to generate.
type Config struct {
	// Dir is the directory of the definitions. Defaults to the working directory.
	Dir string

	// Out is the directory of the generated package, whose name is the last element. Defaults to
	// gen beside Dir.
	Out string

	// Timeout is how long the definitions may run. Defaults to DefaultTimeout.
	Timeout time.Duration

	// Stderr receives what the definitions print while they run, and warnings. Defaults to nowhere.
	Stderr io.Writer
}

// AuthorError holds the mistakes in definitions, in lines like those of a compiler: file:line: what
// is wrong; what to write instead.
type AuthorError = load.AuthorError

// Result is the outcome for a generated package.
type Result struct {
	Dir     string // directory of the generated package, relative to the working directory
	Buckets int
	Changed bool
}

// Generate generates the package. It touches no file unless everything succeeds.
func Generate(ctx context.Context, cfg Config) (Result, error) {
	t, err := newTask(cfg)
	if err != nil {
		return Result{}, err
	}
	tree, p, err := t.render(ctx)
	if err != nil {
		return Result{}, err
	}
	changed, err := tree.Write()
	if err != nil {
		return Result{}, fmt.Errorf("write %s: %w", tree.Dir, err)
	}
	return Result{tree.Dir, len(p.Buckets), changed}, nil
}

// Check returns the unified diff between the package as it is and as [Generate] would make it. It
// is empty if the package is fresh.
func Check(ctx context.Context, cfg Config) ([]byte, error) {
	t, err := newTask(cfg)
	if err != nil {
		return nil, err
	}
	tree, _, err := t.render(ctx)
	if err != nil {
		return nil, err
	}
	diff, err := tree.Diff()
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", tree.Dir, err)
	}
	return diff, nil
}

// task is a config with everything filled in and every path absolute.
type task struct {
	load.Config
}

func newTask(cfg Config) (*task, error) {
	workDir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s is no directory; name that of the bucket definitions", cfg.Dir)
	}
	out := filepath.Join(filepath.Dir(dir), "gen")
	if cfg.Out != "" {
		if out, err = filepath.Abs(cfg.Out); err != nil {
			return nil, err
		}
	}
	t := &task{load.Config{
		Dir:     dir,
		Out:     out,
		WorkDir: workDir,
		Timeout: cmp.Or(cfg.Timeout, DefaultTimeout),
		Stderr:  cmp.Or[io.Writer](cfg.Stderr, io.Discard),
	}}
	switch name := filepath.Base(out); {
	case out == dir:
		return nil, errors.New("the definitions and the generated code cannot be in one directory; generate into another, like ../gen")
	case !token.IsIdentifier(name) || name == "main" || name == "_":
		return nil, fmt.Errorf("%s cannot hold the generated package, because %q is no name for one; generate into a directory like ../gen", t.relative(out), name)
	}
	return t, nil
}

// render does everything but write.
func (t *task) render(ctx context.Context) (write.Tree, *plan.Plan, error) {
	pkg, err := load.Load(ctx, t.Config)
	if err != nil {
		return write.Tree{}, nil, err
	}
	problems := check.Problems(pkg.File)
	if len(check.Errors(problems)) > 0 {
		return write.Tree{}, nil, &AuthorError{Text: lines(problems)}
	}
	if len(pkg.File.Definitions) == 0 {
		return write.Tree{}, nil, &AuthorError{Text: t.relative(t.Dir) + ": no bucket is defined here; " +
			"declare an exported variable, like var PowerUsers = bucket.Define(bucket.Spec{...})"}
	}
	if len(problems) > 0 {
		fmt.Fprintln(t.Stderr, lines(problems))
	}
	p := plan.Build(pkg.File)
	files, err := emit.Files(p, filepath.Base(t.Out), pkg.ImportPath)
	if err != nil {
		return write.Tree{}, nil, err
	}
	return write.Tree{Dir: t.relative(t.Out), Files: files, Header: emit.Header}, p, nil
}

func (t *task) relative(path string) string {
	if rel, err := filepath.Rel(t.WorkDir, path); err == nil {
		return rel
	}
	return path
}

func lines(problems []check.Problem) string {
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}
