package load

import (
	"cmp"
	"fmt"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// refuseGenerated refuses definitions that depend on the package generated from them: it is missing
// before the first run, and stale or broken before others.
func (l loader) refuseGenerated(pkg *packages.Package) error {
	own := l.outPath(pkg)
	var lines []string
	packages.Visit([]*packages.Package{pkg}, nil, func(p *packages.Package) {
		for importPath, imported := range p.Imports {
			if importPath != own && (imported.Dir == "" || imported.Dir != l.Out) || p.PkgPath == own {
				continue
			}
			who := "the definitions import"
			if p != pkg {
				who = fmt.Sprintf("the definitions depend on package %s, which imports", p.PkgPath)
			}
			for _, pos := range importsOf(p, importPath) {
				lines = append(lines, fmt.Sprintf("%s: %s %s, which bucketgen writes; "+
					"move what they share to a package that is written by hand", l.position(pos), who, importPath))
			}
		}
	})
	if len(lines) == 0 {
		return nil
	}
	slices.Sort(lines)
	return &AuthorError{strings.Join(lines, "\n")}
}

// outPath is the import path of the generated package, which need not exist yet, or "" if it is in
// another module.
func (l loader) outPath(pkg *packages.Package) string {
	if pkg.Module == nil || pkg.Module.Dir == "" {
		return ""
	}
	rel, err := filepath.Rel(pkg.Module.Dir, l.Out)
	if err != nil || !filepath.IsLocal(rel) {
		return ""
	}
	return path.Join(pkg.Module.Path, filepath.ToSlash(rel))
}

// importsOf returns the places where files of the package import the path.
func importsOf(pkg *packages.Package, importPath string) []ir.Pos {
	var places []ir.Pos
	fset := token.NewFileSet()
	for _, name := range pkg.GoFiles {
		file, _ := parser.ParseFile(fset, name, nil, parser.ImportsOnly) // mistakes further down do not matter
		if file == nil {
			continue
		}
		for _, spec := range file.Imports {
			if got, err := strconv.Unquote(spec.Path.Value); err == nil && got == importPath {
				places = append(places, ir.Pos{File: name, Line: fset.Position(spec.Pos()).Line})
			}
		}
	}
	slices.SortFunc(places, func(a, b ir.Pos) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
	return places
}
