package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/bucketgen/bucketgen/registry/table"
)

const handshakeDoc = "This constant does not compile if this code and package table are of different generations: " +
	"the code was written by a bucketgen that is newer or older than the github.com/bucketgen/bucketgen in go.mod. Generate " +
	"the code again with the bucketgen of that version, or require the version whose bucketgen wrote it."

// refs prints the names by which a program refers to buckets and properties.
func (e *emitter) refs(f *jen.File) {
	f.Line().Comment(lines(wrap(handshakeDoc)))
	f.Const().Id("_").Op("=").Add(tbl("IsAtLeastVersion2"))
	for i := range e.reg.Buckets {
		e.ref(f, table.BucketIndex(i))
	}
	e.properties(f)
}

func (e *emitter) ref(f *jen.File, b table.BucketIndex) {
	bucket, naming := &e.reg.Buckets[b], &e.plan.Buckets[b]
	constructor := "NewRef"
	if bucket.Kind == table.Manual {
		constructor = "NewManualRef"
	}
	f.Line().Comment(lines(bucketDoc(bucket, naming)))
	f.Var().Id(naming.GoName).Op("=").Add(reg(constructor)).Call(jen.Lit(bucket.ID), jen.Id(e.idx(b)))
	for i, tick := range bucket.Ticks {
		f.Line().Comment(lines(tickDoc(naming, i, tick)))
		f.Var().Id(naming.Ticks[i]).Op("=").Add(reg("NewTickRef")).
			Call(jen.Lit(bucket.ID), jen.Id(e.idx(b)), jen.Lit(tick.Label))
	}
}

// properties prints one variable for all properties, so that their names cannot clash with those of
// buckets.
func (e *emitter) properties(f *jen.File) {
	var types, values []jen.Code
	for i, p := range e.reg.Properties {
		typ := kindNames[p.Type] + "Property"
		switch {
		case len(p.Path) > 0:
			continue // it is set with the property around it
		case p.Type == table.Missing && i+1 < len(e.reg.Properties) && e.reg.Properties[i+1].Name == p.Name:
			typ = "ObjectProperty"
		case p.Type == table.Missing:
			continue // only hand-made definitions leave the type open, so there is none to offer
		}
		naming := &e.plan.Properties[i]
		types = append(types,
			jen.Comment(lines(wordDoc("property", p.Name, naming))),
			jen.Id(naming.GoName).Add(reg(typ)))
		values = append(values, field(naming.GoName, reg("New"+typ).Call(jen.Lit(p.Name))))
	}
	if len(types) == 0 {
		return
	}
	f.Line().Comment(lines("Properties are the declared properties of users, each with the type of its values."))
	f.Var().Id("Properties").Op("=").Struct(types...).Add(block(values...))
}
