// Package catalog counts received names by type, and compares them with the declared ones.
package catalog

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Kind says what a name belongs to.
type Kind string

// The kinds of names.
const (
	Event    Kind = "event"
	Field    Kind = "field"    // in the payload of an event
	Property Kind = "property" // of users
)

// Row counts how often a name was received, with values of one type.
type Row struct {
	Kind     Kind
	Event    string // name of the event, or of the event with the field
	Name     string // path to the field or property, see [Path]
	Type     string // type of the values of the field or property
	Declared bool   // a definition asks about it
	Count    int64
	Sampled  bool // the count is an estimate
	Wrong    bool // values of other types are declared; only a collector sets it
	First    time.Time
	Last     time.Time
}

// Undeclared names are sampled: of each event name the first few events of an interval, and one in
// a number of those that follow.
const (
	exact = 32
	every = 64
)

// Collector counts received names between two calls of Take. It is for several goroutines.
type Collector struct {
	registry *table.Registry
	most     int       // entries of undeclared names
	fields   [][]asked // by Event

	mu         sync.Mutex
	events     []counter // by Event
	ofFields   []typed   // by Field
	properties []typed   // by Property
	names      map[string]*counter
	others     map[other]*counter
	identifies int64
	dropped    int64

	at table.Instant // of the batch that holds the lock
}

// asked is a field that definitions ask about, as one type or several.
type asked struct {
	at   table.FieldIndex // the first of its rows
	name string
	path []string

	types []table.ValueKind // declared types
	typ   table.ValueKind   // Time if one of them is
}

// wrong reports whether values of a kind arrive although others are declared.
func wrong(kind table.ValueKind, declared ...table.ValueKind) bool {
	return !slices.Contains(declared, table.Missing) && !slices.Contains(declared, kind)
}

// counter counts one name.
type counter struct {
	n           int64
	sampled     bool
	first, last table.Instant
}

func (c *counter) add(n int64, at table.Instant) {
	if c.n == 0 {
		c.first = at
	}
	c.n += n
	c.sampled = c.sampled || n > 1
	c.first, c.last = min(c.first, at), max(c.last, at)
}

// typed counts values by their type.
type typed [table.List + 1]counter

// other is an undeclared name.
type other struct {
	kind        Kind
	event, name string
	typ         table.ValueKind
}

// NewCollector returns a collector with at most the given number of entries for undeclared names.
func NewCollector(r *table.Registry, most int) *Collector {
	c := &Collector{
		registry: r, most: most, fields: make([][]asked, len(r.Events)), events: make([]counter, len(r.Events)),
		ofFields: make([]typed, len(r.Fields)), properties: make([]typed, len(r.Properties)),
		names: map[string]*counter{}, others: map[other]*counter{},
	}
	for i := range r.Fields {
		row := &r.Fields[i]
		all := c.fields[row.Event]
		if n := len(all); n > 0 && all[n-1].name == row.Name && slices.Equal(all[n-1].path, row.Path) {
			all[n-1].types = append(all[n-1].types, row.Type)
			if row.Type == table.Time {
				all[n-1].typ = table.Time
			}
			continue
		}
		c.fields[row.Event] = append(all, asked{table.FieldIndex(i), row.Name, row.Path, []table.ValueKind{row.Type}, row.Type})
	}
	return c
}

// Batch begins to count events stored at an instant. No other batch counts before [Collector.End].
func (c *Collector) Batch(at table.Instant) {
	c.mu.Lock()
	c.at = at
}

// End ends a batch.
func (c *Collector) End() { c.mu.Unlock() }

// Add counts an event of the batch.
func (c *Collector) Add(e *decide.Event) {
	sample := c.named(e)
	for i := range e.Traits.Fields {
		f := &e.Traits.Fields[i]
		if p, declared := c.registry.Property(f.Key); declared {
			c.property(p, f, sample)
		} else if sample > 0 {
			c.other(Property, "", f, sample)
		}
	}
	for i := range e.Properties.Fields {
		f := &e.Properties.Fields[i]
		if p, declared := e.Sets(c.registry, f.Key); declared {
			c.property(p, f, sample)
		}
		if e.Event != table.NoEvent {
			c.field(e.Event, f, sample)
		}
	}
	if sample > 0 && len(e.Properties.Raw) > 0 {
		c.payload(e, sample)
	}
}

// named counts the name of an event. It returns how many events this one represents if it is
// sampled as a whole, or 0.
func (c *Collector) named(e *decide.Event) int64 {
	switch {
	case !e.Kind.Named():
		c.identifies++
		return sampleOf(c.identifies)
	case e.Event != table.NoEvent:
		n := &c.events[e.Event]
		n.add(1, c.at)
		return sampleOf(n.n)
	}
	n := c.names[e.Name]
	if n == nil {
		if len(c.names)+len(c.others) >= c.most {
			c.dropped++
			return 0
		}
		n = &counter{}
		c.names[strings.Clone(e.Name)] = n // so that the request's body can be freed
	}
	n.add(1, c.at)
	return sampleOf(n.n)
}

func sampleOf(n int64) int64 {
	switch {
	case n <= exact:
		return 1
	case n%every == 0:
		return every
	}
	return 0
}

// property counts a value of a declared property. Values inside it are sampled.
func (c *Collector) property(p table.PropertyIndex, f *payload.Field, sample int64) {
	rows := c.registry.Properties
	c.properties[p].add(kindOf(f, rows[p].Type), 1, c.at)
	if sample == 0 || f.Value.Kind != table.Composite {
		return
	}
	for in := p + 1; int(in) < len(rows) && rows[in].Name == rows[p].Name; in++ {
		c.properties[in].add(inside(f, rows[in].Path, rows[in].Type), sample, c.at)
	}
}

// field counts a value of those payload fields that definitions ask about.
func (c *Collector) field(e table.EventIndex, f *payload.Field, sample int64) {
	for i := range c.fields[e] {
		switch a := &c.fields[e][i]; {
		case a.name != f.Key:
		case len(a.path) == 0:
			c.ofFields[a.at].add(kindOf(f, a.typ), 1, c.at)
		case sample > 0:
			c.ofFields[a.at].add(inside(f, a.path, a.typ), sample, c.at)
		}
	}
}

func (t *typed) add(kind table.ValueKind, n int64, at table.Instant) {
	if kind != table.Missing {
		t[kind].add(n, at)
	}
}

// payload counts the fields of an event that no definition asks about.
func (c *Collector) payload(e *decide.Event, sample int64) {
	object, err := payload.Parse("properties", e.Properties.Raw, len(e.Properties.Raw), payload.All)
	if err != nil {
		return // it was parsed before
	}
	for i := range object.Fields {
		f := &object.Fields[i]
		if _, declared := e.Sets(c.registry, f.Key); !declared && !c.asks(e.Event, f.Key) {
			c.other(Field, e.Name, f, sample)
		}
	}
}

// asks reports whether a definition asks about a field of an event.
func (c *Collector) asks(e table.EventIndex, key string) bool {
	if e == table.NoEvent {
		return false
	}
	return slices.ContainsFunc(c.fields[e], func(a asked) bool { return a.name == key })
}

// other counts a value that no definition asks about.
func (c *Collector) other(kind Kind, event string, f *payload.Field, sample int64) {
	key := other{kind, event, f.Key, kindOf(f, table.Missing)}
	if key.typ == table.Missing {
		return
	}
	n := c.others[key]
	if n == nil {
		if len(c.names)+len(c.others) >= c.most {
			c.dropped++
			return
		}
		n = &counter{}
		key.event, key.name = strings.Clone(event), strings.Clone(f.Key)
		c.others[key] = n
	}
	n.add(sample, c.at)
}

// kindOf returns the kind of a value, given the declared type. A text is a time only where a time
// is declared, and only if it spells one.
func kindOf(f *payload.Field, declared table.ValueKind) table.ValueKind {
	switch kind := f.Value.Kind; {
	case kind == table.Text && declared == table.Time && f.Value.SpellsTime():
		return table.Time
	case kind == table.Composite && len(f.Raw) > 0 && f.Raw[0] == '[':
		return table.List
	default:
		return kind
	}
}

// inside returns the kind of the value at the end of a path.
func inside(f *payload.Field, path []string, declared table.ValueKind) table.ValueKind {
	raw := f.Raw
	for _, key := range path {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return table.Missing
		}
		if raw = object[key]; raw == nil {
			return table.Missing
		}
	}
	o, err := payload.Parse("", append(append([]byte(`{"value":`), raw...), '}'), len(raw)+len(`{"value":}`), payload.All)
	if err != nil {
		return table.Missing
	}
	f = &payload.Field{}
	for i := range o.Fields {
		f = &o.Fields[i]
	}
	return kindOf(f, declared)
}

// Dropped returns how many names and values were ever left out because there was no room for their
// entry.
func (c *Collector) Dropped() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropped
}

// Take returns the counts since the last call.
func (c *Collector) Take() []Row {
	c.mu.Lock()
	defer c.mu.Unlock()
	var rows []Row
	add := func(row Row, n *counter) {
		if n.n > 0 {
			row.Count, row.Sampled, row.First, row.Last = n.n, n.sampled, n.first.Time(), n.last.Time()
			rows = append(rows, row)
		}
		*n = counter{}
	}
	r := c.registry
	for i := range c.events {
		add(Row{Kind: Event, Event: r.Events[i].Name, Declared: true}, &c.events[i])
	}
	for e := range c.fields {
		for i := range c.fields[e] {
			a := &c.fields[e][i]
			for kind := range table.ValueKind(len(typed{})) {
				add(Row{
					Kind: Field, Event: r.Events[e].Name, Name: Path(a.name, a.path), Type: TypeName(kind), Declared: true, Wrong: wrong(kind, a.types...),
				}, &c.ofFields[a.at][kind])
			}
		}
	}
	for i := range c.properties {
		row := &r.Properties[i]
		for kind := range table.ValueKind(len(typed{})) {
			add(Row{
				Kind: Property, Name: Path(row.Name, row.Path), Type: TypeName(kind), Declared: true, Wrong: wrong(kind, row.Type),
			}, &c.properties[i][kind])
		}
	}
	for name, n := range c.names {
		add(Row{Kind: Event, Event: name}, n)
	}
	for key, n := range c.others {
		add(Row{Kind: key.kind, Event: key.event, Name: Path(key.name, nil), Type: TypeName(key.typ)}, n)
	}
	clear(c.names)
	clear(c.others)
	c.identifies = 0
	return rows
}

// TypeName names a type in the words of definitions.
func TypeName(kind table.ValueKind) string {
	switch kind {
	case table.Composite:
		return "object"
	case table.Missing:
		return ""
	default:
		return kind.String()
	}
}

// Path names a value inside a field or property: the keys with a dot between them. A dot or a
// backslash in a key is written with a backslash before it.
func Path(name string, path []string) string {
	name = escapeKey.Replace(name)
	for _, key := range path {
		name += "." + escapeKey.Replace(key)
	}
	return name
}

var escapeKey = strings.NewReplacer(`\`, `\\`, `.`, `\.`)
