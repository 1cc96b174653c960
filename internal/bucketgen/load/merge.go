package load

import (
	"reflect"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// merge adds to the definitions what only their source contains: names, comments, positions.
func (l loader) merge(f *ir.File, vars []variable) {
	byName := map[string]variable{}
	for _, v := range vars {
		byName[v.name] = v
	}
	for i := range f.Properties {
		p := &f.Properties[i]
		p.Doc, p.Pos = byName[p.GoName].doc, l.position(byName[p.GoName].pos)
	}
	for i := range f.Events {
		e := &f.Events[i]
		e.Doc, e.Pos = byName[e.GoName].doc, l.position(byName[e.GoName].pos)
	}
	for i := range f.Fields {
		p := &f.Fields[i]
		p.Doc, p.Pos = byName[p.GoName].doc, l.position(byName[p.GoName].pos)
	}
	f.Definitions = distinct(f.Definitions, byName)
	for i := range f.Definitions {
		d := &f.Definitions[i]
		v := byName[d.GoName]
		if !v.family { // the comment of a family describes no single bucket
			d.Doc = v.doc
		}
		if d.Pos == (ir.Pos{}) { // Define was not called
			d.Pos = v.pos
		}
		l.positions(d)
	}
}

// distinct drops copies of definitions, like those in a list of all buckets that an author keeps
// for a test. It keeps the one with a variable of its own.
func distinct(defs []ir.Definition, byName map[string]variable) []ir.Definition {
	var kept []ir.Definition
	at := map[string][]int{} // places in kept, by id
next:
	for _, d := range defs {
		for _, i := range at[d.ID] {
			same := kept[i]
			same.GoName = d.GoName
			if d.Pos == (ir.Pos{}) || !reflect.DeepEqual(same, d) {
				continue
			}
			if byName[kept[i].GoName].family {
				kept[i] = d
			}
			continue next
		}
		at[d.ID] = append(at[d.ID], len(kept))
		kept = append(kept, d)
	}
	return kept
}

// positions makes every position in the definition relative to the working directory.
func (l loader) positions(d *ir.Definition) {
	d.Pos = l.position(d.Pos)
	for i := range d.Ticks {
		d.Ticks[i].Pos = l.position(d.Ticks[i].Pos)
	}
	l.problems(d.Problems)
	l.nodePositions(d.Criteria)
}

func (l loader) nodePositions(n *ir.Node) {
	n.Walk(func(n *ir.Node) {
		n.Pos = l.position(n.Pos)
		l.problems(n.Problems)
		if n.Event != nil {
			l.nodePositions(n.Event.Filter)
		}
		if n.Sequence != nil {
			for i := range n.Sequence.Steps {
				step := &n.Sequence.Steps[i]
				step.Pos = l.position(step.Pos)
				l.nodePositions(step.Filter)
			}
		}
	})
}

func (l loader) problems(problems []ir.Problem) {
	for i := range problems {
		problems[i].Pos = l.position(problems[i].Pos)
	}
}

func (l loader) position(p ir.Pos) ir.Pos {
	if p.File != "" {
		p.File = l.relative(p.File)
	}
	return p
}
