package check

import (
	"fmt"
	"strings"

	"github.com/bucketgen/bucketgen/internal/ir"
)

const maxPropertyName = 255 // bytes, as at ingest

// declaration is the first declaration of a property, or of a value inside it.
type declaration struct {
	typ        ir.Type
	traitsOnly bool
	pos        ir.Pos
}

// vocabulary checks that all declarations of a property agree.
type vocabulary struct {
	*checker
	typed  map[string]declaration // by name and path
	source map[string]declaration // by name
}

// properties checks that each property has one type and one source, wherever it is declared or
// used.
func (c *checker) properties(f *ir.File) {
	v := vocabulary{c, map[string]declaration{}, map[string]declaration{}}
	for _, p := range f.Properties {
		c.propertyName(p.Name, p.Path, p.Pos, "")
		v.see(ir.PropertyCheck{Name: p.Name, Path: p.Path, Type: p.Type, TraitsOnly: p.TraitsOnly}, p.Pos, "")
	}
	for _, d := range f.Definitions {
		d.Criteria.Walk(func(n *ir.Node) {
			if n.Property != nil {
				v.see(*n.Property, n.Pos, d.ID)
			}
		})
	}
}

func (v *vocabulary) see(p ir.PropertyCheck, pos ir.Pos, bucket string) {
	now := declaration{p.Type, p.TraitsOnly, pos}
	if p.Type != ir.Any {
		key := fmt.Sprintf("%q %q %q", p.Event, p.Name, p.Path)
		before, seen := v.typed[key]
		switch {
		case !seen:
			v.typed[key] = now
		case before.typ != p.Type:
			v.report(pos, bucket, "%s is declared as %s, but as %s at %s; declare it once and use that variable",
				subject(&p), p.Type, before.typ, before.pos)
		}
	}
	if p.Event != "" {
		return
	}
	before, seen := v.source[p.Name]
	switch {
	case !seen:
		v.source[p.Name] = now
	case before.traitsOnly != p.TraitsOnly:
		with, without := pos, before.pos
		if before.traitsOnly {
			with, without = without, with
		}
		v.report(pos, bucket, "property %q is declared with TraitsOnly() at %s and without at %s; declare it once and use that variable",
			p.Name, with, without)
	}
}

// events checks the names of declared events and fields.
func (c *checker) events(f *ir.File) {
	for _, e := range f.Events {
		c.eventName(e.Pos, "", e.Name)
	}
	for _, p := range f.Fields {
		c.eventName(p.Pos, "", p.Event)
		c.propertyName(p.Name, p.Path, p.Pos, "")
	}
}

// subject names a property or field in the texts of problems.
func subject(p *ir.PropertyCheck) string {
	name := strings.Join(append([]string{p.Name}, p.Path...), ".")
	if p.Event != "" {
		return fmt.Sprintf("field %q of event %q", name, p.Event)
	}
	return fmt.Sprintf("property %q", name)
}

func (c *checker) propertyName(name string, path []string, pos ir.Pos, bucket string) {
	switch {
	case name == "":
		c.report(pos, bucket, "a property has no name; write the key under which it is ingested")
	case len(name) > maxPropertyName || strings.ContainsRune(name, 0):
		c.report(pos, bucket, "no property has the name %.40q: names have at most %d bytes and no U+0000", name, maxPropertyName)
	}
	for _, key := range path {
		switch {
		case key == "":
			c.report(pos, bucket, "a key of At(...) on property %q is empty; write the keys that lead to the value", name)
		case len(key) > maxPropertyName || strings.ContainsRune(key, 0):
			c.report(pos, bucket, "no object has the key %.40q: keys have at most %d bytes and no U+0000", key, maxPropertyName)
		}
	}
}
