package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/bucketgen/bucketgen/registry/table"
)

var distinctNames = [...]string{
	table.DistinctNone: "DistinctNone", table.DistinctValues: "DistinctValues", table.DistinctDays: "DistinctDays",
}

// signalRow is a row of the table of signals.
func (e *emitter) signalRow(s *table.Signal) jen.Code {
	fields := []jen.Code{field("Key", jen.Lit(s.Key)), field("Event", jen.Id(e.event(s.Event)))}
	set := func(name string, given bool, value jen.Code) {
		if given {
			fields = append(fields, field(name, value))
		}
	}
	if len(s.Filter) > 0 {
		set("Filter", true, e.table(s.Filter, func(p table.PropertyIndex) string { return e.field(p) }))
	}
	if s.Field == table.NoField {
		set("Field", true, tbl("NoField"))
	} else {
		set("Field", true, jen.Id(e.field(s.Field)))
	}
	set("Distinct", s.Distinct != table.DistinctNone, tbl(distinctNames[s.Distinct]))
	set("Zone", s.Zone != "", jen.Lit(s.Zone))
	set("Newest", s.Newest > 0, jen.Lit(s.Newest))
	set("Totals", s.Totals, jen.True())
	set("Sums", len(s.Sums) > 0, windows(s.Sums))
	set("Ago", len(s.Ago) > 0, windows(s.Ago))
	set("Sequences", len(s.Sequences) > 0, names("SequenceIndex", s.Sequences, e.sequence))
	return row(fields...)
}

// windows prints windows as static data.
func windows(of []table.Window) *jen.Statement {
	bodies := make([]jen.Code, len(of))
	for i, w := range of {
		bodies[i] = windowBody(w)
	}
	return slice("Window", row(bodies...))
}

func (e *emitter) fieldRow(f *table.Field) jen.Code {
	fields := []jen.Code{field("Event", jen.Id(e.event(f.Event))), field("Name", jen.Lit(f.Name))}
	if len(f.Path) > 0 {
		fields = append(fields, field("Path", jen.Index().String().Values(texts(f.Path)...)))
	}
	if f.Type != table.Missing {
		fields = append(fields, field("Type", tbl(kindNames[f.Type])))
	}
	return row(fields...)
}

var calendarNames = [...]string{table.Day: "Day", table.Week: "Week", table.Month: "Month"}

var compareNames = [...]string{
	table.CompareAtLeast: "CompareAtLeast", table.CompareMoreThan: "CompareMoreThan", table.CompareAtMost: "CompareAtMost",
	table.CompareLessThan: "CompareLessThan", table.CompareIs: "CompareIs",
}

// question is the arguments of a call that answers a node about a signal.
func (e *emitter) question(n *table.Node) []jen.Code {
	signal := jen.Id(e.signal(n.Signal))
	switch n.Op {
	case table.OpFirstWithin:
		return []jen.Code{signal, window(n.Window)}
	case table.OpOnly:
		return []jen.Code{signal, jen.Id(e.signal(n.Other)), window(n.Window)}
	case table.OpSum, table.OpAverage:
		return []jen.Code{signal, window(n.Window), tbl(compareNames[n.Compare]), number(n.Value.Number)}
	default: // counts
		return []jen.Code{signal, jen.Lit(n.Count), window(n.Window)}
	}
}

// window prints a window as static data, in functions as in tables.
func window(w table.Window) *jen.Statement {
	if w == table.Ever {
		return tbl("Ever")
	}
	return tbl("Window").Add(windowBody(w))
}

// windowBody prints a window without its type, which a slice of windows gives.
func windowBody(w table.Window) *jen.Statement {
	var fields []jen.Code
	if w.Span != 0 {
		fields = append(fields, field("Span", dur(w.Span)))
	}
	if w.Until != 0 {
		fields = append(fields, field("Until", dur(w.Until)))
	}
	if w.Calendar != table.NoCalendar {
		fields = append(fields, field("Calendar", tbl(calendarNames[w.Calendar])), field("Zone", jen.Lit(w.Zone)))
	}
	return row(fields...)
}
