// Package check holds the rules for definitions. It finds all problems of a file at once; each
// names its position, what is wrong and what to write instead.
package check

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Problem is a broken rule, or a hint if it is only a warning.
type Problem struct {
	Pos     ir.Pos
	Bucket  string // id; empty if the problem concerns no single bucket
	Text    string // what is wrong; what to write instead
	Warning bool
}

// String returns the problem as a compiler would print it.
func (p Problem) String() string {
	text := p.Text
	if p.Bucket != "" {
		text = fmt.Sprintf("bucket %q: %s", p.Bucket, text)
	}
	if p.Warning {
		text = "warning: " + text
	}
	return p.Pos.String() + ": " + text
}

// Problems returns all problems of the definitions, warnings included, sorted by position.
func Problems(f *ir.File) []Problem {
	c := &checker{buckets: map[string]*ir.Definition{}}
	for i := range f.Definitions {
		c.buckets[f.Definitions[i].ID] = &f.Definitions[i]
	}
	for _, p := range f.Problems {
		c.report(p.Pos, "", "%s", p.Text)
	}
	c.properties(f)
	c.events(f)
	c.names(f.Definitions)
	for i := range f.Definitions {
		c.definition(&f.Definitions[i])
	}
	c.cycles()
	slices.SortStableFunc(c.found, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Bucket, b.Bucket),
			cmp.Compare(a.Text, b.Text),
		)
	})
	return slices.Compact(c.found)
}

// Errors returns the problems that are not mere warnings.
func Errors(problems []Problem) []Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p Problem) bool { return p.Warning })
}

type checker struct {
	buckets map[string]*ir.Definition // by id
	found   []Problem
}

func (c *checker) report(pos ir.Pos, bucket, format string, args ...any) {
	c.found = append(c.found, Problem{Pos: pos, Bucket: bucket, Text: fmt.Sprintf(format, args...)})
}

func (c *checker) warn(pos ir.Pos, bucket, format string, args ...any) {
	c.found = append(c.found, Problem{Pos: pos, Bucket: bucket, Text: fmt.Sprintf(format, args...), Warning: true})
}

// names checks that no two definitions share an id, or a name in the generated code.
func (c *checker) names(defs []ir.Definition) {
	byID, byGo := map[string]ir.Pos{}, map[string]string{}
	for _, d := range defs {
		if at, taken := byID[d.ID]; taken && d.ID != "" {
			c.report(d.Pos, d.ID, "the id is already used at %s; ids are unique, give this bucket another", at)
			continue
		}
		byID[d.ID] = d.Pos
		if !validID(d.ID) {
			continue
		}
		for _, name := range append([]string{GoName(d.ID)}, tickNames(&d)...) {
			switch other, taken := byGo[name]; {
			case taken && other != d.ID:
				c.report(d.Pos, d.ID, "both this id and %q give the Go name %s; change one of them", other, name)
			case reserved[name]:
				c.report(d.Pos, d.ID, "the id gives the Go name %s, which the generated package uses itself; choose another id", name)
			}
			byGo[name] = d.ID
		}
	}
}
