package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/bucketgen/bucketgen/registry/table"
)

// index prints the inverted indexes: the buckets that an event, a property or a newcomer concerns.
func (e *emitter) index(f *jen.File) {
	f.Line().Comment(lines("byEvent lists the buckets whose criteria ask about an event."))
	f.Var().Id("byEvent").Op("=").Add(postings(e, e.reg.ByEvent, e.event))

	f.Line().Comment(lines("byProperty lists the buckets whose criteria ask about a property."))
	f.Var().Id("byProperty").Op("=").Add(postings(e, e.reg.ByProperty, e.property))

	if len(e.reg.Newcomers) > 0 {
		f.Line().Comment(lines("newcomers lists the buckets that a user without any facts may be in, now or later."))
		f.Var().Id("newcomers").Op("=").Add(names("BucketIndex", e.reg.Newcomers, e.idx))
	}
}

func postings[P ~int32](e *emitter, table []table.Postings, name func(P) string) *jen.Statement {
	rows := make([]jen.Code, len(table))
	for i, p := range table {
		var fields []jen.Code
		if len(p.Always) > 0 {
			fields = append(fields, field("Always", names("BucketIndex", p.Always, e.idx)))
		}
		if len(p.Guarded) > 0 {
			fields = append(fields, field("Guarded", e.guarded(p.Guarded)))
		}
		body := block
		if len(fields) == 0 {
			body = row
		}
		rows[i] = field(name(P(i)), body(fields...))
	}
	return slice("Postings", block(rows...))
}

func (e *emitter) guarded(guards []table.Guarded) *jen.Statement {
	rows := make([]jen.Code, len(guards))
	for i, g := range guards {
		values := make([]jen.Code, len(g.Values))
		for n, p := range g.Values {
			values[n] = row(field("Value", value(p.Value)), field("Buckets", names("BucketIndex", p.Buckets, e.idx)))
		}
		rows[i] = row(field("Property", jen.Id(e.property(g.Property))), field("Values", slice("Posting", block(values...))))
	}
	return slice("Guarded", block(rows...))
}
