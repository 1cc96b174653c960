package catalog

import (
	"slices"
	"strings"

	"github.com/bucketgen/bucketgen/registry/table"
)

// Entry is a name as it was declared and as it was received.
type Entry struct {
	Kind     Kind
	Event    string
	Name     string
	Declared bool
	Types    []string // declared types; none: any will do
	Seen     []Row    // by type; none: never received
	Near     []Name   // similar names: declared ones for an undeclared name, received ones for a name that was never received
}

// Name identifies the subject of an entry.
type Name struct {
	Kind  Kind
	Event string
	Name  string
}

// Wrong reports whether values of a type arrived although others are declared.
func (e *Entry) Wrong(typ string) bool {
	return e.Declared && len(e.Types) > 0 && typ != "" && !slices.Contains(e.Types, typ)
}

// mostNear is how many similar names an entry lists.
const mostNear = 3

// Compare compares declared with received names, by kind and name.
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

// comparison is the state of Compare.
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

// relate finds possible misspellings: for each received, undeclared name the declared ones near it,
// and the other way round for names that were never received.
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

// declared returns the declared names, by their kind and, for fields, their event.
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

// near returns the likely meanings of an undeclared name. A field of a payload may be meant as a
// property of the user, and may then even have its name: a payload does not set properties that
// only traits set.
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

// meant adds a received name to the declared one that was never received and that it may mean.
func (c *comparison) meant(key Name, arrived *Entry) {
	for _, near := range arrived.Near {
		if e := c.entries[near]; e.Declared && len(e.Seen) == 0 {
			e.Near = append(e.Near, key)
		}
	}
}
