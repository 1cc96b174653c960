// Package load reads bucket definitions written in Go. It finds them by type, then runs them: it
// builds a small program beneath their directory, which imports the definitions and writes them to
// a file. So definitions may use all of Go and everything in their module. Nothing is written into
// the user's tree, and no part of the generator gets into the user's build.
package load

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/tools/go/packages"

	"github.com/bucketgen/bucketgen/internal/ir"
)

const bucketPath = "github.com/bucketgen/bucketgen/bucket"

// Config says what to read.
type Config struct {
	// Dir is the directory of the definitions, absolute.
	Dir string
	// Out is the directory of the generated package, absolute. The definitions must not import it.
	Out string
	// WorkDir is what positions are relative to, absolute.
	WorkDir string
	// Timeout is how long the definitions may run.
	Timeout time.Duration
	// Stderr receives what the definitions print.
	Stderr io.Writer
}

// Package is the content of a package of definitions.
type Package struct {
	ImportPath string
	File       *ir.File
}

// AuthorError is a mistake in the source of the definitions, in lines that begin with its place.
type AuthorError struct {
	Text string
}

func (e *AuthorError) Error() string { return e.Text }

// Load reads the definitions. Mistakes that prevent reading are an [AuthorError]; others are
// problems of the file.
func Load(ctx context.Context, cfg Config) (*Package, error) {
	l := loader{cfg}
	pkg, err := l.list(ctx)
	if err != nil {
		return nil, err
	}
	found := discover(pkg)
	file := &ir.File{Version: ir.Version}
	if len(found.vars) > 0 {
		if file, err = l.run(ctx, pkg, found.vars); err != nil {
			return nil, err
		}
		l.merge(file, found.vars)
	}
	file.Problems = found.problems
	l.problems(file.Problems)
	return &Package{ImportPath: pkg.PkgPath, File: file}, nil
}

type loader struct {
	Config
}

// environ is the environment of the go command. Its output runs on this machine, whatever the user
// builds for.
func (l loader) environ() []string {
	return append(os.Environ(), "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "PWD="+l.Dir)
}

// list finds the package and type-checks it against the export data of its imports.
func (l loader) list(ctx context.Context) (*packages.Package, error) {
	pkgs, err := packages.Load(&packages.Config{
		Context: ctx,
		Dir:     l.Dir,
		Env:     l.environ(),
		// The definitions are compiled with the flags of run, so the build cache serves both.
		BuildFlags: []string{"-gcflags=" + compilerFlags},
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedModule | packages.NeedImports |
			packages.NeedTypes | packages.NeedTypesInfo | packages.NeedSyntax,
	}, ".")
	if err != nil {
		return nil, l.explain(ctx, err)
	}
	if len(pkgs) != 1 {
		return nil, fmt.Errorf("found %d packages in %s, want one", len(pkgs), l.Dir)
	}
	pkg := pkgs[0]
	if err := l.refuseGenerated(pkg); err != nil {
		return nil, err
	}
	if err := firstError(pkg); err != nil {
		return nil, l.explain(ctx, err)
	}
	if pkg.Name == "main" {
		return nil, &AuthorError{fmt.Sprintf("%s: bucketgen cannot read definitions in package main, because nothing can import that; "+
			"give them a package of their own", l.relative(l.Dir))}
	}
	return pkg, nil
}

// firstError returns an error of the package, or of one that it imports.
func firstError(pkg *packages.Package) error {
	var first error
	packages.Visit([]*packages.Package{pkg}, nil, func(p *packages.Package) {
		if first == nil && len(p.Errors) > 0 {
			first = p.Errors[0]
		}
	})
	return first
}

// explain returns the compiler's errors for the package. If there are none, it returns the error
// found otherwise.
func (l loader) explain(ctx context.Context, found error) error {
	if _, err := l.build(ctx, os.DevNull, "."); err != nil {
		return err
	}
	return fmt.Errorf("read package %s: %w", l.relative(l.Dir), found)
}

// relative returns the file relative to the working directory, if that is shorter, as compilers
// print it.
func (l loader) relative(file string) string {
	rel, err := filepath.Rel(l.WorkDir, file)
	if err != nil || len(rel) >= len(file) {
		return file
	}
	return rel
}
