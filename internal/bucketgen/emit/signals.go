package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/bucketgen/bucketgen/registry"
)

var distinctNames = [...]string{
	registry.DistinctNone: "DistinctNone", registry.DistinctValues: "DistinctValues", registry.DistinctDays: "DistinctDays",
}

// signalRow is a row of the table of signals.
func (e *emitter) signalRow(s *registry.SignalRow) jen.Code {
	fields := []jen.Code{field("Key", jen.Lit(s.Key)), field("Event", jen.Id(e.event(s.Event)))}
	set := func(name string, given bool, value jen.Code) {
		if given {
			fields = append(fields, field(name, value))
		}
	}
	if len(s.Filter) > 0 {
		set("Filter", true, e.table(s.Filter, func(p registry.Property) string { return e.field(p) }))
	}
	if s.Field == registry.NoField {
		set("Field", true, reg("NoField"))
	} else {
		set("Field", true, jen.Id(e.field(s.Field)))
	}
	set("Distinct", s.Distinct != registry.DistinctNone, reg(distinctNames[s.Distinct]))
	set("Zone", s.Zone != "", jen.Lit(s.Zone))
	set("Newest", s.Newest > 0, jen.Lit(s.Newest))
	set("Totals", s.Totals, jen.True())
	set("Sums", len(s.Sums) > 0, windows(s.Sums))
	set("Ago", len(s.Ago) > 0, windows(s.Ago))
	set("Sequences", len(s.Sequences) > 0, names("Sequence", s.Sequences, e.sequence))
	return row(fields...)
}

// windows are windows as static data.
func windows(of []registry.Window) *jen.Statement {
	bodies := make([]jen.Code, len(of))
	for i, w := range of {
		bodies[i] = windowBody(w)
	}
	return slice("Window", row(bodies...))
}

func (e *emitter) fieldRow(f *registry.FieldRow) jen.Code {
	fields := []jen.Code{field("Event", jen.Id(e.event(f.Event))), field("Name", jen.Lit(f.Name))}
	if len(f.Path) > 0 {
		fields = append(fields, field("Path", jen.Index().String().Values(texts(f.Path)...)))
	}
	if f.Type != registry.Missing {
		fields = append(fields, field("Type", reg(kindNames[f.Type])))
	}
	return row(fields...)
}

var calendarNames = [...]string{registry.Day: "Day", registry.Week: "Week", registry.Month: "Month"}

var compareNames = [...]string{
	registry.CompareAtLeast: "CompareAtLeast", registry.CompareMoreThan: "CompareMoreThan", registry.CompareAtMost: "CompareAtMost",
	registry.CompareLessThan: "CompareLessThan", registry.CompareIs: "CompareIs",
}

// question is the arguments of a call that answers a node about a signal.
func (e *emitter) question(n *registry.Node) []jen.Code {
	signal := jen.Id(e.signal(n.Signal))
	switch n.Op {
	case registry.OpFirstWithin:
		return []jen.Code{signal, window(n.Window)}
	case registry.OpOnly:
		return []jen.Code{signal, jen.Id(e.signal(n.Other)), window(n.Window)}
	case registry.OpSum, registry.OpAverage:
		return []jen.Code{signal, window(n.Window), reg(compareNames[n.Compare]), number(n.Value.Number)}
	default: // counts
		return []jen.Code{signal, jen.Lit(n.Count), window(n.Window)}
	}
}

// window is a window as an expression in a function.
func window(w registry.Window) *jen.Statement {
	switch w.Calendar {
	case registry.Day:
		return reg("Today").Call(jen.Lit(w.Zone))
	case registry.Week, registry.Month:
		return reg("This" + calendarNames[w.Calendar]).Call(jen.Lit(w.Zone))
	default:
	}
	if w == registry.Ever {
		return reg("Ever")
	}
	if w.Until != 0 {
		return reg("Ago").Call(dur(w.Span), dur(w.Until))
	}
	return reg("Within").Call(dur(w.Span))
}

// windowRow is a window as static data.
func windowRow(w registry.Window) *jen.Statement { return reg("Window").Add(windowBody(w)) }

func windowBody(w registry.Window) *jen.Statement {
	var fields []jen.Code
	if w.Span != 0 {
		fields = append(fields, field("Span", dur(w.Span)))
	}
	if w.Until != 0 {
		fields = append(fields, field("Until", dur(w.Until)))
	}
	if w.Calendar != registry.NoCalendar {
		fields = append(fields, field("Calendar", reg(calendarNames[w.Calendar])), field("Zone", jen.Lit(w.Zone)))
	}
	return row(fields...)
}
