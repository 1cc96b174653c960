// Package plan turns checked definitions into the registry that runs them. It makes every decision
// of the generator: emit only prints the plan. The plan is also a usable registry, without the
// generated functions. Tests, previews and back-tests run definitions by it that were never
// generated.
package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/bucketgen/bucketgen/internal/bucketgen/check"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Plan is the input of package emit.
type Plan struct {
	Registry   *table.Registry
	Buckets    []Naming // by table.BucketIndex
	Events     []Naming // by registry.Event
	Properties []Naming // by registry.Property
	Signals    []Naming // by registry.Signal
	Fields     []Naming // by registry.Field
	Sequences  []Naming // by table.SequenceIndex
	EventTypes []EventType

	// Functions says that each criteria is also generated as a function, for people to read. The
	// tables decide as fast and compile ten times as fast, so above a number of buckets that people
	// would read, there are tables only.
	Functions bool
}

const mostFunctions = 500

// Naming is the name of something in generated code, with its author's comment.
type Naming struct {
	GoName string
	Doc    string   // the author's comment, if any
	File   string   // where it was defined, without directory
	Ticks  []string // Go names of the ticks of a bucket
}

// Build plans the definitions of a file, which must have passed [check.Problems] without errors.
func Build(f *ir.File) *Plan {
	defs := slices.Clone(f.Definitions)
	slices.SortFunc(defs, func(a, b ir.Definition) int { return strings.Compare(a.ID, b.ID) })

	v := collect(f, defs)
	p := &Plan{
		Registry:   &table.Registry{Events: v.events, Properties: v.properties, Signals: v.signals, Fields: v.fields, Sequences: v.sequences},
		Events:     v.eventNaming,
		Signals:    v.signalNaming,
		Fields:     v.fieldNaming,
		Sequences:  v.sequenceNaming,
		Properties: v.propertyNaming,
	}
	r := p.Registry
	for i := range defs {
		r.Buckets = append(r.Buckets, v.bucket(&defs[i]))
		p.Buckets = append(p.Buckets, naming(&defs[i]))
	}
	p.EventTypes = eventTypes(f, p.Buckets)
	p.Functions = len(r.Buckets) <= mostFunctions
	index(r)
	levels(r)
	newcomers(r)
	fingerprint(r)
	return p
}

func naming(d *ir.Definition) Naming {
	n := Naming{GoName: check.GoName(d.ID), File: baseName(d.Pos.File)}
	n.Doc = renamed(d.Doc, d.GoName, n.GoName)
	for _, t := range d.Ticks {
		n.Ticks = append(n.Ticks, check.TickGoName(d.ID, t))
	}
	return n
}

// renamed returns a comment that begins with the name of what it is about, which the author may
// have called something else.
func renamed(doc, from, to string) string {
	if rest, found := strings.CutPrefix(doc, from+" "); found && from != "" {
		return to + " " + rest
	}
	return doc
}

func baseName(file string) string {
	return file[strings.LastIndexByte(file, '/')+1:]
}

// numbered returns the name, or the first free one with a number behind it, and takes it.
func (n names) numbered(name string) string {
	free := name
	for i := 2; n[free]; i++ {
		free = name + strconv.Itoa(i)
	}
	n[free] = true
	return free
}

// needed returns how many of the newest occurrences the check needs.
func needed(e *ir.EventCheck) int {
	switch e.Operator {
	case ir.Gte, ir.Lt:
		return e.Count
	default:
		return e.Count + 1
	}
}

func (v *vocabulary) bucket(d *ir.Definition) table.Bucket {
	b := table.Bucket{
		ID:             d.ID,
		Name:           cmp.Or(d.Name, d.ID),
		Description:    d.Description,
		Disabled:       d.Disabled,
		Anonymous:      d.Anonymous,
		EntryPeriod:    d.EntryPeriod,
		MinDwell:       d.MinDwell,
		MaxDwell:       d.MaxDwell,
		NoClockJoins:   d.ReconcileJoins != nil && !*d.ReconcileJoins,
		ReconcileEvery: d.ReconcileEvery,
		FastExpiry:     d.FastExpiry,
	}
	switch d.EntryLimit {
	case ir.Once:
		b.EntryLimit = table.Once
	case ir.OncePerPeriod:
		b.EntryLimit = table.OncePerPeriod
	default:
		b.EntryPeriod = 0
	}
	for _, t := range d.Ticks {
		b.Ticks = append(b.Ticks, table.Tick{Label: check.TickLabel(t), Every: t.Every, Span: t.Span})
	}
	if d.Kind == ir.Manual {
		b.Kind = table.Manual
		return b
	}
	b.Criteria = v.nodes(nil, d.Criteria, func(p *ir.PropertyCheck) table.PropertyIndex { return v.property(p.Name, p.Path) })
	for i := 0; i < len(b.Criteria); i++ {
		n := &b.Criteria[i]
		switch {
		case n.Op.IsSignal():
			b.Signals = append(b.Signals, n.Signal)
			if n.Op == table.OpOnly {
				b.Signals = append(b.Signals, n.Other)
			}
			b.Events = append(b.Events, v.signals[n.Signal].Event)
			i += n.Size - 1 // a condition on the occurrence asks about no property of the user
		case n.Op.IsSequence():
			v.steps(&b, n.Sequence)
		case n.Op.IsProperty():
			b.Properties = append(b.Properties, v.root(n.Property)) // values inside come with it
		}
	}
	b.Events, b.Signals, b.Properties = distinct(b.Events), distinct(b.Signals), distinct(b.Properties)
	return b
}

func distinct[T cmp.Ordered](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}
