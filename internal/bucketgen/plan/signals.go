package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/internal/bucketgen/check"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry/table"
)

// signal is what criteria ask about an event.
type signal struct {
	Event    string            `json:"event"`
	Filter   *ir.Node          `json:"filter,omitempty"`
	Window   *ir.Window        `json:"window,omitempty"` // an absolute one, which is a filter by time
	Field    *ir.PropertyCheck `json:"field,omitempty"`
	Distinct table.Distinct    `json:"distinct,omitempty"`
	Zone     string            `json:"zone,omitempty"`
}

// key identifies the signal in the database: the same question has the same key everywhere.
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

// bare returns a filter without parts that do not change its meaning.
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

// signalsOf returns the signal of a check, and a second one if the check asks whether only the
// first occurred.
func signalsOf(e *ir.EventCheck) (s signal, other *signal) {
	s = signal{Event: e.Name, Filter: e.Filter}
	if w := e.Window; w != nil && (w.From != nil || w.To != nil) {
		s.Window = w
	}
	switch e.Aggregate {
	case ir.Distinct:
		s.Field, s.Distinct = e.Field, table.DistinctValues
	case ir.DistinctDays:
		s.Distinct, s.Zone = table.DistinctDays, e.Zone
	case ir.Sum, ir.Avg:
		s.Field = e.Field
		s.Filter = both(e.Filter, number(e.Field, ir.Gte, -math.MaxFloat64)) // other values than numbers add nothing
	case ir.Min, ir.Max:
		return extreme(e, s)
	case ir.First, ir.Last:
		s.Field = &ir.PropertyCheck{Name: e.Field.Name, Path: e.Field.Path, Event: e.Field.Event, Type: e.Field.Type}
	case ir.Count, ir.FirstTime:
	}
	return s, nil
}

// extreme returns the signals that decide the comparison of a minimum or maximum: there is a number
// on one side of v or, for the comparisons with other, there is one and none is beyond v.
func extreme(e *ir.EventCheck, s signal) (some signal, beyond *signal) {
	outward, outwardOrEqual := ir.Gt, ir.Gte
	if e.Aggregate == ir.Min {
		outward, outwardOrEqual = ir.Lt, ir.Lte
	}
	with := func(op ir.Operator, v float64) *signal {
		filtered := s
		filtered.Filter = both(e.Filter, number(e.Field, op, v))
		return &filtered
	}
	v := unsigned(*e.Number)
	op := e.Operator
	if e.Aggregate == ir.Min { // the mirror image
		op = map[ir.Operator]ir.Operator{ir.Gte: ir.Lte, ir.Gt: ir.Lt, ir.Lte: ir.Gte, ir.Lt: ir.Gt, ir.Eq: ir.Eq}[op]
	}
	switch op {
	case ir.Gte:
		return *with(outwardOrEqual, v), nil
	case ir.Gt:
		return *with(outward, v), nil
	case ir.Lte:
		return *with(ir.Gte, -math.MaxFloat64), with(outward, v)
	case ir.Lt:
		return *with(ir.Gte, -math.MaxFloat64), with(outwardOrEqual, v)
	default:
		return *with(ir.Eq, v), with(outward, v)
	}
}

func number(field *ir.PropertyCheck, op ir.Operator, v float64) *ir.Node {
	check := *field
	check.Operator, check.Value = op, &ir.Value{Number: &v}
	return &ir.Node{Op: ir.OpProperty, Property: &check}
}

// both combines filters; the first may be nil.
func both(a, b *ir.Node) *ir.Node {
	if a == nil {
		return b
	}
	return &ir.Node{Op: ir.OpAll, Children: []*ir.Node{a, b}}
}

// windowOf returns the window in which occurrences of the signal count.
func windowOf(w *ir.Window) table.Window {
	switch {
	case w == nil:
		return table.Ever
	case w.Calendar != "":
		return table.Window{Calendar: calendars[w.Calendar], Zone: w.Zone}
	default:
		return table.Window{Span: w.Last, Until: w.Until}
	}
}

var calendars = map[ir.Calendar]table.Calendar{ir.Day: table.Day, ir.Week: table.Week, ir.Month: table.Month}

// collectSignals gives every signal of a criteria its row.
func (v *vocabulary) collectSignals(defs []ir.Definition) {
	rows := map[string]*table.Signal{}
	specs := map[string]signal{}
	for i := range defs {
		defs[i].Criteria.Walk(func(n *ir.Node) {
			for _, s := range asked(n) {
				key := s.key()
				if rows[key] == nil {
					rows[key] = &table.Signal{Key: key, Field: table.NoField, Distinct: s.Distinct, Zone: s.Zone}
					specs[key] = s
				}
				if n.Event != nil {
					require(rows[key], n.Event)
				}
			}
		})
	}
	v.collectEvents(specs)
	v.collectFields(specs)
	for _, key := range sorted(rows) {
		row, s := rows[key], specs[key]
		row.Event = v.event(s.Event)
		row.Filter = during(s.Window)
		if s.Filter != nil {
			row.Filter = v.nodes(row.Filter, s.Filter, func(p *ir.PropertyCheck) table.PropertyIndex {
				return v.field(p, row.Event)
			})
		}
		if n := len(row.Filter); n > 0 && s.Window != nil {
			row.Filter = append([]table.Node{{Op: table.OpAll, Size: n + 1}}, row.Filter...)
		}
		if s.Field != nil {
			row.Field = v.field(s.Field, row.Event)
		}
		v.signals = append(v.signals, *row)
	}
	slices.SortFunc(v.signals, func(a, b table.Signal) int {
		return cmp.Or(cmp.Compare(a.Event, b.Event), strings.Compare(a.Key, b.Key))
	})
	taken := names{}
	v.places = map[string]table.SignalIndex{}
	for i := range v.signals {
		row := &v.signals[i]
		v.places[row.Key] = table.SignalIndex(i)
		v.events[row.Event].Signals = append(v.events[row.Event].Signals, table.SignalIndex(i))
		v.signalNaming = append(v.signalNaming, Naming{GoName: taken.numbered(v.eventNaming[row.Event].GoName)})
	}
}

// asked returns the signals that a node asks about.
func asked(n *ir.Node) []signal {
	switch {
	case n.Sequence != nil:
		return signalsOfSteps(n.Sequence)
	case n.Event == nil:
		return nil
	}
	s, other := signalsOf(n.Event)
	if other == nil {
		return []signal{s}
	}
	return []signal{s, *other}
}

// require makes a signal keep what a check needs.
func require(row *table.Signal, e *ir.EventCheck) {
	w := windowOf(e.Window)
	if w.Until > 0 && !slices.Contains(row.Ago, w) {
		row.Ago = append(row.Ago, w)
		slices.SortFunc(row.Ago, compareWindows)
	}
	switch {
	case e.Aggregate == ir.Sum || e.Aggregate == ir.Avg:
		if !slices.Contains(row.Sums, w) {
			row.Sums = append(row.Sums, w)
			slices.SortFunc(row.Sums, compareWindows)
		}
	case e.Aggregate == ir.FirstTime || e.Aggregate == ir.First || e.Aggregate == ir.Last || w == table.Ever && row.Distinct == table.DistinctNone:
		row.Totals = true
	case e.Aggregate == ir.Min || e.Aggregate == ir.Max:
		row.Newest = max(row.Newest, 1)
	default:
		row.Newest = max(row.Newest, needed(e))
	}
}

func compareWindows(a, b table.Window) int {
	return cmp.Or(cmp.Compare(a.Calendar, b.Calendar), cmp.Compare(a.Span, b.Span), cmp.Compare(a.Until, b.Until), strings.Compare(a.Zone, b.Zone))
}

// during returns the conditions that an event occurred in an absolute window.
func during(w *ir.Window) []table.Node {
	var nodes []table.Node
	add := func(op table.Op, t *time.Time) {
		if t != nil {
			nodes = append(nodes, table.Node{Op: op, Size: 1, Value: table.Value{Kind: table.Time, Time: table.At(*t)}})
		}
	}
	if w != nil {
		add(table.OpSince, w.From)
		add(table.OpUntil, w.To)
	}
	return nodes
}

func (v *vocabulary) collectEvents(specs map[string]signal) {
	events := map[string]bool{}
	for _, s := range specs {
		events[s.Event] = true
	}
	taken := names{}
	for _, name := range sorted(events) {
		v.events = append(v.events, table.Event{Name: name})
		v.eventNaming = append(v.eventNaming, Naming{GoName: taken.free(check.EventGoName(name))})
	}
}

// collectFields gives every payload field of a filter or an aggregate its row.
func (v *vocabulary) collectFields(specs map[string]signal) {
	for _, s := range specs {
		event := v.event(s.Event)
		add := func(p *ir.PropertyCheck) {
			if p != nil {
				v.fields = append(v.fields, table.Field{Event: event, Name: p.Name, Path: p.Path, Type: valueKind(p.Type)})
			}
		}
		add(s.Field)
		s.Filter.Walk(func(n *ir.Node) { add(n.Property) })
	}
	slices.SortFunc(v.fields, compareFields)
	v.fields = slices.CompactFunc(v.fields, func(a, b table.Field) bool { return compareFields(a, b) == 0 })
	taken := names{}
	for _, row := range v.fields {
		v.fieldNaming = append(v.fieldNaming, Naming{GoName: taken.free(v.eventNaming[row.Event].GoName + check.PropertyGoName(strings.Join(append([]string{row.Name}, row.Path...), ".")))})
	}
}

func compareFields(a, b table.Field) int {
	return cmp.Or(cmp.Compare(a.Event, b.Event), strings.Compare(a.Name, b.Name), slices.Compare(a.Path, b.Path), cmp.Compare(a.Type, b.Type))
}

func (v *vocabulary) signal(s signal) table.SignalIndex { return v.places[s.key()] }

func (v *vocabulary) field(p *ir.PropertyCheck, event table.EventIndex) table.FieldIndex {
	row := table.Field{Event: event, Name: p.Name, Path: p.Path, Type: valueKind(p.Type)}
	i, _ := slices.BinarySearchFunc(v.fields, row, compareFields)
	return table.FieldIndex(i)
}
