package plan

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bucketgen/bucketgen/internal/bucketgen/check"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry/table"
)

// EventType is an event that definitions declare or ask about, as the type by which a host ingests
// it.
type EventType struct {
	Naming
	Name   string // under which the event is ingested
	Fields []FieldType
}

// FieldType is a field of an [EventType].
type FieldType struct {
	Naming
	Name string
	Path []string
	Type table.ValueKind
}

// The methods of an event type, whose names no field has.
var eventMethods = []string{"By", "In"}

// eventTypes returns the types of all events, by name, with their fields by name, path and type.
// The types are in the generated package beside its buckets, which keep their names. A name that an
// author chose is given before others.
func eventTypes(f *ir.File, buckets []Naming) []EventType {
	events, fields := vocabularyOfEvents(f)
	taken := names{}
	for _, b := range buckets {
		taken[b.GoName] = true
	}
	types := make([]EventType, len(events))
	for _, declared := range []bool{true, false} {
		for i, e := range events {
			if declared != (e.GoName != "") {
				continue
			}
			own := strings.TrimSuffix(cmp.Or(e.GoName, check.EventGoName(e.Name)), "Event")
			goName := taken.free(own + "Event")
			types[i] = EventType{
				Naming: Naming{GoName: goName, Doc: renamed(e.Doc, e.GoName, goName), File: baseName(e.Pos.File)},
				Name:   e.Name,
				Fields: fieldTypes(own, fieldsOf(e.Name, fields)),
			}
		}
	}
	return types
}

// fieldsOf returns those of the sorted fields that are the event's.
func fieldsOf(event string, fields []ir.Field) []ir.Field {
	byEvent := func(p ir.Field, name string) int { return strings.Compare(p.Event, name) }
	start, _ := slices.BinarySearchFunc(fields, event, byEvent)
	end, _ := slices.BinarySearchFunc(fields, event+"\x00", byEvent) // no name is between them
	return fields[start:end]
}

// fieldTypes names the fields of an event. A variable often has the name of its event before its
// own, as PurchaseAmount; the field is Amount then.
func fieldTypes(event string, fields []ir.Field) []FieldType {
	taken := names{}
	for _, method := range eventMethods {
		taken[method] = true
	}
	types := make([]FieldType, len(fields))
	for _, declared := range []bool{true, false} {
		for i, p := range fields {
			if declared != (p.GoName != "") {
				continue
			}
			goName := taken.free(cmp.Or(withoutEvent(p.GoName, event), check.PropertyGoName(strings.Join(append([]string{p.Name}, p.Path...), "."))))
			types[i] = FieldType{
				Naming: Naming{GoName: goName, Doc: renamed(p.Doc, p.GoName, goName), File: baseName(p.Pos.File)},
				Name:   p.Name, Path: p.Path, Type: valueKind(p.Type),
			}
		}
	}
	return types
}

// withoutEvent returns the name of a field without that of its event before it.
func withoutEvent(field, event string) string {
	rest, found := strings.CutPrefix(field, event)
	if first, _ := utf8.DecodeRuneInString(rest); found && unicode.IsUpper(first) {
		return rest
	}
	return field
}

// vocabularyOfEvents returns the events and fields that the definitions declare, and those that
// only criteria name. Of several variables the last one names an event or field.
func vocabularyOfEvents(f *ir.File) ([]ir.Event, []ir.Field) {
	var events []ir.Event
	var fields []ir.Field
	event := func(name string) { events = append(events, ir.Event{Name: name}) }
	field := func(p *ir.PropertyCheck) {
		if p != nil && p.Type != ir.Any { // only hand-made definitions leave the type open
			fields = append(fields, ir.Field{Event: p.Event, Name: p.Name, Path: p.Path, Type: p.Type})
		}
	}
	filter := func(n *ir.Node) { n.Walk(func(n *ir.Node) { field(n.Property) }) }
	for _, d := range f.Definitions {
		d.Criteria.Walk(func(n *ir.Node) {
			if e := n.Event; e != nil {
				event(e.Name)
				field(e.Field)
				filter(e.Filter)
			}
			if s := n.Sequence; s != nil {
				for _, step := range s.Steps {
					event(step.Event)
					field(step.Key)
					filter(step.Filter)
				}
			}
		})
	}
	events, fields = append(events, f.Events...), append(fields, f.Fields...)
	for _, p := range f.Fields {
		event(p.Event)
	}
	return lastNamed(events, compareEventNames, func(e ir.Event) string { return e.GoName }),
		lastNamed(fields, compareFieldNames, func(p ir.Field) string { return p.GoName })
}

func compareEventNames(a, b ir.Event) int { return strings.Compare(a.Name, b.Name) }

func compareFieldNames(a, b ir.Field) int {
	return cmp.Or(strings.Compare(a.Event, b.Event), strings.Compare(a.Name, b.Name), slices.Compare(a.Path, b.Path), strings.Compare(string(a.Type), string(b.Type)))
}

// lastNamed sorts what a vocabulary holds. Of equals it keeps the last that has a name, if one has.
func lastNamed[T any](list []T, compare func(a, b T) int, goName func(T) string) []T {
	slices.SortStableFunc(list, compare)
	var kept []T
	for _, v := range list {
		switch last := len(kept) - 1; {
		case last < 0 || compare(kept[last], v) != 0:
			kept = append(kept, v)
		case goName(v) != "":
			kept[last] = v
		}
	}
	return kept
}
