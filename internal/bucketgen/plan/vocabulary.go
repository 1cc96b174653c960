package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bucketgen/bucketgen/internal/bucketgen/check"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry/table"
)

// vocabulary is what the definitions refer to: events, properties and each other.
type vocabulary struct {
	events         []table.Event
	eventNaming    []Naming
	properties     []table.Property
	propertyNaming []Naming
	signals        []table.Signal
	signalNaming   []Naming
	places         map[string]table.SignalIndex // by key
	fields         []table.Field
	fieldNaming    []Naming
	buckets        map[string]table.BucketIndex // by id
	sequences      []table.Sequence
	sequenceNaming []Naming
	sequencePlaces map[string]table.SequenceIndex // by key
}

func collect(f *ir.File, defs []ir.Definition) *vocabulary {
	v := &vocabulary{buckets: map[string]table.BucketIndex{}}
	for i := range defs {
		v.buckets[defs[i].ID] = table.BucketIndex(i)
	}
	v.collectSignals(defs)
	v.collectSequences(defs)
	v.collectProperties(f, defs)
	return v
}

// property is a property, or a value inside one, as it is declared or used.
type property struct {
	ir.Property
	history bool
}

func (v *vocabulary) collectProperties(f *ir.File, defs []ir.Definition) {
	var declared []property
	places := map[string]int{}
	see := func(p property) {
		key := strings.Join(append([]string{p.Name}, p.Path...), "\x00") // which no name contains
		i, seen := places[key]
		if !seen {
			places[key] = len(declared)
			declared = append(declared, p)
			return
		}
		d := &declared[i]
		if p.GoName != "" && d.GoName == "" || d.Type == ir.Any {
			d.Type = p.Type
		}
		if p.GoName != "" {
			d.GoName, d.Doc, d.Pos = p.GoName, p.Doc, p.Pos // the last of several variables names it
		}
		d.TraitsOnly, d.history = d.TraitsOnly || p.TraitsOnly, d.history || p.history
	}
	for _, p := range f.Properties {
		see(property{Property: p})
	}
	for i := range defs {
		defs[i].Criteria.Walk(func(n *ir.Node) {
			if p := n.Property; p != nil {
				see(property{
					ir.Property{Name: p.Name, Path: p.Path, Type: p.Type, TraitsOnly: p.TraitsOnly},
					p.Operator == ir.HasBeen || p.Operator == ir.Changed,
				})
			}
		})
	}
	for _, p := range slices.Clone(declared) {
		if len(p.Path) > 0 { // the property around it has a row, too, with the same source
			see(property{Property: ir.Property{Name: p.Name, TraitsOnly: p.TraitsOnly}})
		}
	}
	slices.SortFunc(declared, compareProperties)
	taken := names{}
	for _, p := range f.Properties {
		taken[p.GoName] = true // no other property gets an author's name
	}
	for _, p := range declared {
		if p.GoName == "" {
			p.GoName = taken.free(check.PropertyGoName(strings.Join(append([]string{p.Name}, p.Path...), ".")))
		}
		v.properties = append(v.properties, table.Property{
			Name: p.Name, Path: p.Path, Type: valueKind(p.Type), TraitsOnly: p.TraitsOnly, History: p.history,
		})
		v.propertyNaming = append(v.propertyNaming, Naming{GoName: p.GoName, Doc: p.Doc, File: baseName(p.Pos.File)})
	}
}

func compareProperties(a, b property) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), slices.Compare(a.Path, b.Path))
}

// names are the Go names that are taken.
type names map[string]bool

// free returns the name, or a similar one if that is taken, and takes it.
func (n names) free(name string) string {
	for n[name] {
		name += "_"
	}
	n[name] = true
	return name
}

func (v *vocabulary) event(name string) table.EventIndex {
	i, _ := slices.BinarySearchFunc(v.events, name, func(e table.Event, name string) int { return strings.Compare(e.Name, name) })
	return table.EventIndex(i)
}

func (v *vocabulary) property(name string, path []string) table.PropertyIndex {
	i, _ := slices.BinarySearchFunc(v.properties, name, func(p table.Property, name string) int {
		return cmp.Or(strings.Compare(p.Name, name), slices.Compare(p.Path, path))
	})
	return table.PropertyIndex(i)
}

// root returns the property that a property lies inside of, or itself.
func (v *vocabulary) root(p table.PropertyIndex) table.PropertyIndex {
	return v.property(v.properties[p].Name, nil)
}

func valueKind(t ir.Type) table.ValueKind {
	switch t {
	case ir.Text:
		return table.Text
	case ir.Number:
		return table.Number
	case ir.Bool:
		return table.Bool
	case ir.Time:
		return table.Time
	case ir.List:
		return table.List
	default:
		return table.Missing
	}
}

func sorted[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
