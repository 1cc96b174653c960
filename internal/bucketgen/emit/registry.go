package emit

import (
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/bucketgen/bucketgen/registry/table"
)

// registry prints the tables of buckets, events and properties, and the constants that name their
// rows.
func (e *emitter) registry(f *jen.File) {
	places(f, "BucketIndex", e.reg.Buckets, e.idx, "Positions in Registry. Valid within this build only: adding a bucket renumbers them.")
	places(f, "EventIndex", e.reg.Events, e.event, "")
	places(f, "PropertyIndex", e.reg.Properties, e.property, "")
	places(f, "SignalIndex", e.reg.Signals, e.signal, "")
	places(f, "FieldIndex", e.reg.Fields, e.field, "")
	places(f, "SequenceIndex", e.reg.Sequences, e.sequence, "")

	tables := []jen.Code{
		field("Fingerprint", jen.Lit(e.reg.Fingerprint)),
		rowsField("Buckets", "Bucket", e.reg.Buckets, func(i int, _ *table.Bucket) jen.Code {
			return field(e.idx(table.BucketIndex(i)), e.bucket(table.BucketIndex(i)))
		}),
		rowsField("Events", "Event", e.reg.Events, func(i int, row *table.Event) jen.Code {
			return field(e.event(table.EventIndex(i)), e.eventRow(row))
		}),
		rowsField("Properties", "Property", e.reg.Properties, func(i int, row *table.Property) jen.Code {
			return field(e.property(table.PropertyIndex(i)), propertyRow(row))
		}),
		rowsField("Signals", "Signal", e.reg.Signals, func(i int, row *table.Signal) jen.Code {
			return field(e.signal(table.SignalIndex(i)), e.signalRow(row))
		}),
		rowsField("Fields", "Field", e.reg.Fields, func(i int, row *table.Field) jen.Code {
			return field(e.field(table.FieldIndex(i)), e.fieldRow(row))
		}),
		rowsField("Sequences", "Sequence", e.reg.Sequences, func(i int, row *table.Sequence) jen.Code {
			return field(e.sequence(table.SequenceIndex(i)), e.sequenceRow(row))
		}),
		field("ByEvent", jen.Id("byEvent")),
		field("ByProperty", jen.Id("byProperty")),
	}
	if len(e.reg.Newcomers) > 0 {
		tables = append(tables, field("Newcomers", jen.Id("newcomers")))
	}
	f.Line().Comment(lines("Registry holds everything that the engine needs of the buckets. A program passes it to engine.New."))
	f.Var().Id("Registry").Op("=").Add(reg("New")).Call(jen.Op("&").Add(tbl("Registry")).Add(block(tables...)))
}

// places prints constants that number the rows of a table.
func places[P ~int32, R any](f *jen.File, typ string, rows []R, name func(P) string, doc string) {
	if len(rows) == 0 {
		return
	}
	f.Line()
	if doc != "" {
		f.Comment(lines(doc))
	}
	f.Const().DefsFunc(func(g *jen.Group) {
		for i := range rows {
			c := g.Id(name(P(i)))
			if i == 0 {
				c.Add(tbl(typ)).Op("=").Iota()
			}
		}
	})
}

// rowsField is a field of the registry that holds rows, or nothing if there are none.
func rowsField[R any](name, typ string, rows []R, element func(int, *R) jen.Code) jen.Code {
	if len(rows) == 0 {
		return jen.Null()
	}
	elements := make([]jen.Code, len(rows))
	for i := range rows {
		elements[i] = element(i, &rows[i])
	}
	return field(name, slice(typ, block(elements...)))
}

func (e *emitter) eventRow(r *table.Event) jen.Code {
	return row(field("Name", jen.Lit(r.Name)), field("Signals", names("SignalIndex", r.Signals, e.signal)))
}

func propertyRow(r *table.Property) jen.Code {
	fields := []jen.Code{field("Name", jen.Lit(r.Name))}
	if len(r.Path) > 0 {
		fields = append(fields, field("Path", jen.Index().String().Values(texts(r.Path)...)))
	}
	if r.Type != table.Missing {
		fields = append(fields, field("Type", tbl(kindNames[r.Type])))
	}
	if r.TraitsOnly {
		fields = append(fields, field("TraitsOnly", jen.True()))
	}
	if r.History {
		fields = append(fields, field("History", jen.True()))
	}
	return row(fields...)
}

var entryLimitNames = [...]string{table.Unlimited: "Unlimited", table.Once: "Once", table.OncePerPeriod: "OncePerPeriod"}

// bucket is a row of the table of buckets: the fields in the order of their declaration, without
// zero ones. The test that compares the generated registry with the planned one finds missing
// fields.
func (e *emitter) bucket(i table.BucketIndex) jen.Code {
	b := &e.reg.Buckets[i]
	var fields []jen.Code
	set := func(name string, given bool, value *jen.Statement) {
		if given {
			fields = append(fields, field(name, value))
		}
	}
	span := func(name string, d time.Duration) { set(name, d != 0, dur(d)) }

	set("ID", true, jen.Lit(b.ID))
	set("Name", b.Name != "", jen.Lit(b.Name))
	set("Description", b.Description != "", jen.Lit(b.Description))
	set("Fingerprint", true, jen.Lit(b.Fingerprint))
	set("Kind", b.Kind == table.Manual, tbl("Manual"))
	set("Disabled", b.Disabled, jen.True())
	set("Anonymous", b.Anonymous, jen.True())
	set("EntryLimit", b.EntryLimit != table.Unlimited, tbl(entryLimitNames[b.EntryLimit]))
	span("EntryPeriod", b.EntryPeriod)
	span("MinDwell", b.MinDwell)
	span("MaxDwell", b.MaxDwell)
	set("Ticks", len(b.Ticks) > 0, ticks(b.Ticks))
	set("NoClockJoins", b.NoClockJoins, jen.True())
	span("ReconcileEvery", b.ReconcileEvery)
	set("FastExpiry", b.FastExpiry, jen.True())
	set("Events", len(b.Events) > 0, names("EventIndex", b.Events, e.event))
	set("Signals", len(b.Signals) > 0, names("SignalIndex", b.Signals, e.signal))
	set("Properties", len(b.Properties) > 0, names("PropertyIndex", b.Properties, e.property))
	set("Criteria", len(b.Criteria) > 0, jen.Id(e.nodes(i)))
	set("Level", b.Level > 0, jen.Lit(b.Level))
	set("Dependents", len(b.Dependents) > 0, names("BucketIndex", b.Dependents, e.idx))
	set("CriteriaFunc", len(b.Criteria) > 0 && e.plan.Functions, jen.Id(e.function(i)))
	return block(fields...)
}

func ticks(ticks []table.Tick) *jen.Statement {
	rows := make([]jen.Code, len(ticks))
	for i, t := range ticks {
		fields := []jen.Code{field("Label", jen.Lit(t.Label))}
		if t.Every {
			fields = append(fields, field("Every", jen.True()))
		}
		rows[i] = row(append(fields, field("Span", dur(t.Span)))...)
	}
	return slice("Tick", block(rows...))
}
