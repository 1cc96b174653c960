package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bucketgen/bucketgen/internal/bucketgen/check"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry"
)

// vocabulary is what the definitions speak of: events, properties and each other.
type vocabulary struct {
	events         []registry.EventRow
	eventNaming    []Naming
	properties     []registry.PropertyRow
	propertyNaming []Naming
	signals        []registry.SignalRow
	signalNaming   []Naming
	places         map[string]registry.Signal // by key
	fields         []registry.FieldRow
	fieldNaming    []Naming
	buckets        map[string]registry.Index // by id
	sequences      []registry.SequenceRow
	sequenceNaming []Naming
	sequencePlaces map[string]registry.Sequence // by key
}

func collect(f *ir.File, defs []ir.Definition) *vocabulary {
	v := &vocabulary{buckets: map[string]registry.Index{}}
	for i := range defs {
		v.buckets[defs[i].ID] = registry.Index(i)
	}
	v.collectSignals(defs)
	v.collectSequences(defs)
	v.collectProperties(f, defs)
	return v
}

// property is a property, or what lies inside of one, as it is declared or used.
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
			d.GoName, d.Doc, d.Pos = p.GoName, p.Doc, p.Pos // of several variables the last one names it
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
		if len(p.Path) > 0 { // what it is inside of has a row too, and comes from where this does
			see(property{Property: ir.Property{Name: p.Name, TraitsOnly: p.TraitsOnly}})
		}
	}
	slices.SortFunc(declared, compareProperties)
	taken := names{}
	for _, p := range f.Properties {
		taken[p.GoName] = true // an author's own name is not given to another property
	}
	for _, p := range declared {
		if p.GoName == "" {
			p.GoName = taken.free(check.PropertyGoName(strings.Join(append([]string{p.Name}, p.Path...), ".")))
		}
		v.properties = append(v.properties, registry.PropertyRow{
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

// free returns the name, or one like it if that is taken, and takes it.
func (n names) free(name string) string {
	for n[name] {
		name += "_"
	}
	n[name] = true
	return name
}

func (v *vocabulary) event(name string) registry.Event {
	i, _ := slices.BinarySearchFunc(v.events, name, func(e registry.EventRow, name string) int { return strings.Compare(e.Name, name) })
	return registry.Event(i)
}

func (v *vocabulary) property(name string, path []string) registry.Property {
	i, _ := slices.BinarySearchFunc(v.properties, name, func(p registry.PropertyRow, name string) int {
		return cmp.Or(strings.Compare(p.Name, name), slices.Compare(p.Path, path))
	})
	return registry.Property(i)
}

// root returns the property that a property lies inside of, or itself.
func (v *vocabulary) root(p registry.Property) registry.Property {
	return v.property(v.properties[p].Name, nil)
}

func valueKind(t ir.Type) registry.ValueKind {
	switch t {
	case ir.Text:
		return registry.Text
	case ir.Number:
		return registry.Number
	case ir.Bool:
		return registry.Bool
	case ir.Time:
		return registry.Time
	case ir.List:
		return registry.List
	default:
		return registry.Missing
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
