package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/bucketgen/bucketgen/internal/bucketgen/check"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry"
)

// signal is what criteria ask about an event.
type signal struct {
	Event    string            `json:"event"`
	Filter   *ir.Node          `json:"filter,omitempty"`
	Window   *ir.Window        `json:"window,omitempty"` // an absolute one, which is a filter by time
	Field    *ir.PropertyCheck `json:"field,omitempty"`
	Distinct registry.Distinct `json:"distinct,omitempty"`
	Zone     string            `json:"zone,omitempty"`
}

// key identifies the signal in the database: a name that is the same wherever somebody asks the same.
func (s signal) key() string {
	if s == (signal{Event: s.Event}) {
		return "event " + s.Event
	}
	s.Filter = bare(s.Filter)
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // plain data
	}
	sum := sha256.Sum256(text)
	return "signal " + hex.EncodeToString(sum[:8]) + " of " + s.Event
}

// bare returns a filter without what does not change its meaning.
func bare(n *ir.Node) *ir.Node {
	if n == nil {
		return nil
	}
	copied := *n
	copied.Pos, copied.Problems, copied.Children = ir.Pos{}, nil, nil
	for _, child := range n.Children {
		copied.Children = append(copied.Children, bare(child))
	}
	return &copied
}

// signalOf returns the signal of a count, an average or the like.
func signalOf(e *ir.EventCheck) signal {
	s := signal{Event: e.Name, Filter: e.Filter}
	if w := e.Window; w != nil && (w.From != nil || w.To != nil) {
		s.Window = w
	}
	switch e.Aggregate {
	case ir.Distinct:
		s.Field, s.Distinct = e.Field, registry.DistinctValues
	case ir.DistinctDays:
		s.Distinct, s.Zone = registry.DistinctDays, e.Zone
	case ir.Sum, ir.Avg:
		s.Field = e.Field
	}
	return s
}

// windowOf returns the window in which occurrences of the signal count.
func windowOf(w *ir.Window) registry.Window {
	switch {
	case w == nil:
		return registry.Ever
	case w.Calendar != "":
		return registry.Window{Calendar: calendars[w.Calendar], Zone: w.Zone}
	default:
		return registry.Window{Span: w.Last}
	}
}

var calendars = map[ir.Calendar]registry.Calendar{ir.Day: registry.Day, ir.Week: registry.Week, ir.Month: registry.Month}

// collectSignals gives every signal that a criteria asks about its row.
func (v *vocabulary) collectSignals(defs []ir.Definition) {
	rows := map[string]*registry.SignalRow{}
	specs := map[string]signal{}
	for i := range defs {
		walk(defs[i].Criteria, func(n *ir.Node) {
			if n.Event == nil {
				return
			}
			s := signalOf(n.Event)
			key := s.key()
			if rows[key] == nil {
				rows[key] = &registry.SignalRow{Key: key, Field: registry.NoField, Distinct: s.Distinct, Zone: s.Zone}
				specs[key] = s
			}
			rows[key].Newest = max(rows[key].Newest, needed(n.Event))
			rows[key].Totals = rows[key].Totals || asksEver(n.Event)
		})
	}
	v.collectEvents(specs)
	v.collectFields(specs)
	for _, key := range sorted(rows) {
		row, s := rows[key], specs[key]
		row.Event = v.event(s.Event)
		if s.Filter != nil {
			row.Filter = v.nodes(nil, s.Filter, func(p *ir.PropertyCheck) registry.Property {
				return registry.Property(v.field(p.Name, row.Event))
			})
		}
		if s.Field != nil {
			row.Field = v.field(s.Field.Name, row.Event)
		}
		v.signals = append(v.signals, *row)
	}
	slices.SortFunc(v.signals, func(a, b registry.SignalRow) int {
		return cmp.Or(cmp.Compare(a.Event, b.Event), strings.Compare(a.Key, b.Key))
	})
	taken := names{}
	v.places = map[string]registry.Signal{}
	for i := range v.signals {
		row := &v.signals[i]
		v.places[row.Key] = registry.Signal(i)
		v.events[row.Event].Signals = append(v.events[row.Event].Signals, registry.Signal(i))
		v.signalNaming = append(v.signalNaming, Naming{GoName: taken.numbered(v.eventNaming[row.Event].GoName)})
	}
}

func (v *vocabulary) collectEvents(specs map[string]signal) {
	events := map[string]bool{}
	for _, s := range specs {
		events[s.Event] = true
	}
	taken := names{}
	for _, name := range sorted(events) {
		v.events = append(v.events, registry.EventRow{Name: name})
		v.eventNaming = append(v.eventNaming, Naming{GoName: taken.free(check.EventGoName(name))})
	}
}

// collectFields gives every payload property that a filter or an aggregate asks about its row.
func (v *vocabulary) collectFields(specs map[string]signal) {
	seen := map[registry.FieldRow]bool{}
	for _, s := range specs {
		event := v.event(s.Event)
		add := func(p *ir.PropertyCheck) {
			if p != nil {
				seen[registry.FieldRow{Event: event, Name: p.Name, Type: valueKind(p.Type)}] = true
			}
		}
		add(s.Field)
		walk(s.Filter, func(n *ir.Node) { add(n.Property) })
	}
	for row := range seen {
		v.fields = append(v.fields, row)
	}
	slices.SortFunc(v.fields, compareFields)
	taken := names{}
	for _, row := range v.fields {
		v.fieldNaming = append(v.fieldNaming, Naming{GoName: taken.free(v.eventNaming[row.Event].GoName + check.PropertyGoName(row.Name))})
	}
}

func compareFields(a, b registry.FieldRow) int {
	return cmp.Or(cmp.Compare(a.Event, b.Event), strings.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type))
}

func (v *vocabulary) signal(e *ir.EventCheck) registry.Signal {
	key := signalOf(e).key()
	return v.places[key]
}

func (v *vocabulary) field(name string, event registry.Event) registry.Field {
	i := slices.IndexFunc(v.fields, func(f registry.FieldRow) bool { return f.Name == name && f.Event == event })
	return registry.Field(i)
}
