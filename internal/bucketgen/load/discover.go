package load

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// variable is a package-level variable that holds definitions or declares a property or event.
type variable struct {
	name   string
	doc    string
	pos    ir.Pos
	family bool // a slice of definitions
}

// discovery is the result for one package.
type discovery struct {
	pkg      *packages.Package
	vars     []variable   // to read, in the order of the source
	problems []ir.Problem // variables that would be ignored silently
}

// discover finds the variables of a package that hold definitions or declare a property or event.
func discover(pkg *packages.Package) *discovery {
	d := &discovery{pkg: pkg}
	for _, file := range pkg.Syntax {
		for _, decl := range file.Decls {
			if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok == token.VAR {
				d.declaration(gen)
			}
		}
	}
	return d
}

func (d *discovery) declaration(gen *ast.GenDecl) {
	for _, spec := range gen.Specs {
		spec := spec.(*ast.ValueSpec) //nolint:forcetypeassert // a var declaration has no others
		for _, id := range spec.Names {
			if obj := d.pkg.TypesInfo.Defs[id]; obj != nil {
				d.variable(obj, docOf(gen, spec))
			}
		}
	}
}

func (d *discovery) variable(obj types.Object, doc string) {
	at := d.pkg.Fset.Position(obj.Pos())
	pos := ir.Pos{File: at.Filename, Line: at.Line}
	is, wrong := roleOf(obj)
	switch {
	case wrong != "":
		d.problems = append(d.problems, ir.Problem{Pos: pos, Text: wrong})
	case is != none:
		d.vars = append(d.vars, variable{name: obj.Name(), doc: doc, pos: pos, family: is == family})
	}
}

// docOf returns the comment of a variable: before it, before a declaration of it alone, or behind
// it.
func docOf(gen *ast.GenDecl, spec *ast.ValueSpec) string {
	group := spec.Doc
	if group == nil && !gen.Lparen.IsValid() {
		group = gen.Doc
	}
	if group == nil {
		group = spec.Comment
	}
	if group != nil && strings.HasPrefix(group.List[0].Text, "/*") {
		return dedent(group.Text())
	}
	return group.Text()
}

// dedent removes the tabs that indent the lines of a comment between /* and */ with the code around
// it.
func dedent(text string) string {
	depth := -1
	for line := range strings.Lines(text) {
		if rest := strings.TrimLeft(line, "\t"); rest != "\n" && rest != "" && (depth < 0 || len(line)-len(rest) < depth) {
			depth = len(line) - len(rest)
		}
	}
	if depth <= 0 {
		return text
	}
	return strings.TrimPrefix(strings.ReplaceAll("\n"+text, "\n"+strings.Repeat("\t", depth), "\n"), "\n")
}

// role is the purpose of a variable.
type role int

const (
	none role = iota
	single
	family
	vocabulary // a property, an event or a field
)

// roleOf returns the role of a variable, or its mistake: a definition must not be lost silently.
func roleOf(obj types.Object) (role, string) {
	is := typeRole(obj.Type())
	switch {
	case is == vocabulary && !obj.Exported():
		return none, "" // its uses say enough
	case is == single || is == family || is == vocabulary:
		if obj.Exported() {
			return is, ""
		}
		return none, fmt.Sprintf("variable %s is not exported, so its definitions would not be generated; export it or delete it", obj.Name())
	}
	if elem := element(obj.Type()); elem != nil && nameOf(elem) == "Definition" {
		return none, fmt.Sprintf("variable %s holds definitions in a way that bucketgen does not read; make it a []bucket.Definition", obj.Name())
	}
	return none, ""
}

func typeRole(t types.Type) role {
	switch nameOf(t) {
	case "Definition":
		return single
	case "TextProperty", "NumberProperty", "BoolProperty", "TimeProperty", "ListProperty",
		"EventName", "TextField", "NumberField", "BoolField", "TimeField", "ListField":
		return vocabulary
	}
	if slice, ok := t.Underlying().(*types.Slice); ok && nameOf(slice.Elem()) == "Definition" {
		return family
	}
	return none
}

// nameOf returns the name of a type of package bucket, or "".
func nameOf(t types.Type) string {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != bucketPath {
		return ""
	}
	return named.Obj().Name()
}

// element returns the type of the variable's values, if the variable holds one or many.
func element(t types.Type) types.Type {
	switch t := t.Underlying().(type) {
	case *types.Pointer:
		return t.Elem()
	case *types.Array:
		return t.Elem()
	case *types.Map:
		return t.Elem()
	}
	return nil
}
