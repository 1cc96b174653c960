package emit

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/registry/table"
)

// events prints a type for each event, by which a program ingests it. Fields are pointers, so that
// the zero value of a field is not a missing one.
func (e *emitter) events(f *jen.File) {
	for i := range e.plan.EventTypes {
		eventType(f, &e.plan.EventTypes[i])
	}
}

func eventType(f *jen.File, t *plan.EventType) {
	fields := make([]jen.Code, 0, 2*len(t.Fields))
	for i := range t.Fields {
		field := &t.Fields[i]
		fields = append(fields,
			jen.Comment(lines(wordDoc("field", fieldPath(field), &field.Naming))),
			jen.Id(field.GoName).Add(goType(field.Type)))
	}
	f.Line().Comment(lines(wordDoc("event", t.Name, &t.Naming)))
	f.Type().Id(t.GoName).Struct(fields...)

	f.Line().Comment(lines("By returns the event as one of the user."))
	f.Func().Params(jen.Id("e").Id(t.GoName)).Id("By").Params(jen.Id("userID").String()).Add(root("Event")).Block(
		jen.Return(jen.Id("e").Dot("In").Call(root("Event").Add(row(field("UserID", jen.Id("userID")))))))

	doc := fmt.Sprintf("In returns ev with the name %q", t.Name)
	receiver := jen.Id(t.GoName)
	body := []jen.Code{jen.Id("ev").Dot("Name").Op("=").Lit(t.Name)}
	if len(t.Fields) > 0 {
		doc += " and, in a copy of its Properties, the fields of e that are not nil"
		receiver = jen.Id("e").Id(t.GoName)
		body = append(body, payload(t)...)
	}
	f.Line().Comment(lines(tidy(wrap(doc + "."))))
	f.Func().Params(receiver).Id("In").Params(jen.Id("ev").Add(root("Event"))).Add(root("Event")).Block(
		append(body, jen.Return(jen.Id("ev")))...)
}

// payload sets the properties of ev.
func payload(t *plan.EventType) []jen.Code {
	code := []jen.Code{jen.Id("p").Op(":=").Add(reg("NewPayload")).Call(jen.Id("ev").Dot("Properties"))}
	for _, field := range t.Fields {
		args := []jen.Code{jen.Id("e").Dot(field.GoName), jen.Lit(field.Name)}
		for _, key := range field.Path {
			args = append(args, jen.Lit(key))
		}
		code = append(code, jen.Id("p").Dot(kindNames[field.Type]).Call(args...))
	}
	return append(code, jen.Id("ev").Dot("Properties").Op("=").Id("p").Dot("Properties").Call())
}

// goType is the type by which a host sets a field.
func goType(kind table.ValueKind) *jen.Statement {
	switch kind {
	case table.Number:
		return jen.Op("*").Float64()
	case table.Bool:
		return jen.Op("*").Bool()
	case table.Time:
		return jen.Op("*").Qual("time", "Time")
	case table.List:
		return jen.Index().String()
	default:
		return jen.Op("*").String()
	}
}
