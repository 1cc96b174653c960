package catalog

import (
	"slices"
	"strings"

	"github.com/bucketgen/bucketgen/registry/table"
)

// Entry is a name, as it is declared and as it arrived.
type Entry struct {
	Kind     Kind
	Event    string
	Name     string
	Declared bool
	Types    []string // that are declared; none: any will do
	Seen     []Row    // by type; none: it never arrived
	Near     []Name   // of what is not declared, what may be meant; of what is declared and never arrived, what may stand for it
}

// Name is what an entry is about.
type Name struct {
	Kind  Kind
	Event string
	Name  string
}

// Wrong reports whether values of a type arrived where others are declared.
func (e *Entry) Wrong(typ string) bool {
	return e.Declared && len(e.Types) > 0 && typ != "" && !slices.Contains(e.Types, typ)
}

// mostNear is how many names are given that may be meant by another.
const mostNear = 3

// Compare compares what is declared with what arrived, by kind and name.
func Compare(r *table.Registry, rows []Row) []Entry {
	c := comparison{entries: map[Name]*Entry{}}
	c.declare(r)
	for i := range rows {
		row := &rows[i]
		e := c.entry(Name{row.Kind, row.Event, row.Name})
		e.Seen = append(e.Seen, *row)
	}
	c.relate()
	all := make([]Entry, 0, len(c.entries))
	for _, e := range c.entries {
		all = append(all, *e)
	}
	slices.SortFunc(all, func(a, b Entry) int {
		return compareNames(Name{a.Kind, a.Event, a.Name}, Name{b.Kind, b.Event, b.Name})
	})
	return all
}

func compareNames(a, b Name) int {
	for _, c := range []int{strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Event, b.Event), strings.Compare(a.Name, b.Name)} {
		if c != 0 {
			return c
		}
	}
	return 0
}

// comparison is a comparison that is being made.
type comparison struct {
	entries map[Name]*Entry
}

func (c *comparison) entry(key Name) *Entry {
	e := c.entries[key]
	if e == nil {
		e = &Entry{Kind: key.Kind, Event: key.Event, Name: key.Name}
		c.entries[key] = e
	}
	return e
}

func (c *comparison) declare(r *table.Registry) {
	add := func(key Name, typ table.ValueKind) {
		e := c.entry(key)
		if e.Declared = true; typ != table.Missing && !slices.Contains(e.Types, TypeName(typ)) {
			e.Types = append(e.Types, TypeName(typ))
		}
	}
	for i := range r.Events {
		add(Name{Kind: Event, Event: r.Events[i].Name}, table.Missing)
	}
	for i := range r.Fields {
		row := &r.Fields[i]
		add(Name{Field, r.Events[row.Event].Name, Path(row.Name, row.Path)}, row.Type)
	}
	for i := range r.Properties {
		row := &r.Properties[i]
		add(Name{Kind: Property, Name: Path(row.Name, row.Path)}, row.Type)
	}
}

// relate finds what may be a misspelling: of each name that arrived and is not declared, the declared ones that it is near, and the
// other way round for those that never arrived.
func (c *comparison) relate() {
	among := c.declared()
	for key, e := range c.entries {
		if !e.Declared {
			e.Near = c.near(among, key)
			c.meant(key, e)
		}
	}
	for _, e := range c.entries {
		if slices.SortFunc(e.Near, compareNames); len(e.Near) > mostNear {
			e.Near = e.Near[:mostNear]
		}
	}
}

// declared returns the names that are declared, by their kind and, of fields, their event.
func (c *comparison) declared() map[Name]*Names {
	among := map[Name]*Names{}
	for key, e := range c.entries {
		if !e.Declared {
			continue
		}
		group, name := Name{Kind: key.Kind, Event: key.Event}, key.Name
		if key.Kind == Event {
			group.Event, name = "", key.Event
		}
		if among[group] == nil {
			among[group] = &Names{}
		}
		among[group].Add(name)
	}
	return among
}

// near returns what may be meant by a name that is not declared. A field of a payload may be meant as a property of the user, and then
// also bear its very name: a payload does not set what only traits do.
func (c *comparison) near(among map[Name]*Names, key Name) []Name {
	if key.Kind == Event {
		return named(Name{Kind: Event}, among[Name{Kind: Event}].Near(key.Event, mostNear))
	}
	near := named(Name{Kind: key.Kind, Event: key.Event}, among[Name{Kind: key.Kind, Event: key.Event}].Near(key.Name, mostNear))
	if key.Kind == Field {
		property := Name{Kind: Property, Name: key.Name}
		if own := c.entries[property]; own != nil && own.Declared {
			near = append(near, property)
		}
		near = append(near, named(Name{Kind: Property}, among[Name{Kind: Property}].Near(key.Name, mostNear))...)
	}
	return near
}

// named returns names of a kind.
func named(kind Name, names []string) []Name {
	all := make([]Name, len(names))
	for i, name := range names {
		all[i] = kind
		if kind.Kind == Event {
			all[i].Event = name
		} else {
			all[i].Name = name
		}
	}
	return all
}

// meant tells what was never seen about a name that arrived in its place.
func (c *comparison) meant(key Name, arrived *Entry) {
	for _, near := range arrived.Near {
		if e := c.entries[near]; e.Declared && len(e.Seen) == 0 {
			e.Near = append(e.Near, key)
		}
	}
}
