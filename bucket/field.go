package bucket

import "github.com/bucketgen/bucketgen/internal/ir"

// TextField is a field of an event's payload whose values are texts. [EventName.Text] declares one.
type TextField struct{ TextOf[Filter] }

// NumberField is a field of an event's payload whose values are numbers. [EventName.Number]
// declares one.
type NumberField struct{ NumberOf[Filter] }

// BoolField is a field of an event's payload whose values are true and false. [EventName.Bool]
// declares one.
type BoolField struct{ BoolOf[Filter] }

// TimeField is a field of an event's payload whose values are instants. [EventName.Time] declares
// one. A condition relative to now is evaluated once, as of the instant at which the event
// occurred.
type TimeField struct{ TimeOf[Filter] }

// ListField is a field of an event's payload whose values are lists of texts. [EventName.List]
// declares one.
type ListField struct{ ListOf[Filter] }

// Text declares a field of the event's payload whose values are texts.
func (e EventName) Text(name string) TextField {
	return TextField{TextOf[Filter]{reference{name: name, event: e.check.Name, typ: ir.Text}}}
}

// Number declares a field of the event's payload whose values are numbers.
func (e EventName) Number(name string) NumberField {
	return NumberField{NumberOf[Filter]{reference{name: name, event: e.check.Name, typ: ir.Number}}}
}

// Bool declares a field of the event's payload whose values are true and false.
func (e EventName) Bool(name string) BoolField {
	return BoolField{BoolOf[Filter]{reference{name: name, event: e.check.Name, typ: ir.Bool}}}
}

// Time declares a field of the event's payload whose values are instants, written as RFC 3339
// texts.
func (e EventName) Time(name string) TimeField {
	return TimeField{TimeOf[Filter]{reference{name: name, event: e.check.Name, typ: ir.Time}}}
}

// List declares a field of the event's payload whose values are lists of texts.
func (e EventName) List(name string) ListField {
	return ListField{ListOf[Filter]{reference{name: name, event: e.check.Name, typ: ir.List}}}
}

// At is the text that a path of keys leads to, from a field that is an object. See
// [TextProperty.At].
func (f TextField) At(keys ...string) TextField {
	f.of = f.of.at(keys)
	return f
}

// At is the number that a path of keys leads to. See [TextProperty.At].
func (f NumberField) At(keys ...string) NumberField {
	f.of = f.of.at(keys)
	return f
}

// At is the truth value that a path of keys leads to. See [TextProperty.At].
func (f BoolField) At(keys ...string) BoolField {
	f.of = f.of.at(keys)
	return f
}

// At is the instant that a path of keys leads to. See [TextProperty.At].
func (f TimeField) At(keys ...string) TimeField {
	f.of = f.of.at(keys)
	return f
}

// At is the list that a path of keys leads to. See [TextProperty.At].
func (f ListField) At(keys ...string) ListField {
	f.of = f.of.at(keys)
	return f
}
