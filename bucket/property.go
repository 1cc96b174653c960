package bucket

import (
	"slices"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// A property is compared strictly: the operators of a type are true only for stored values of that
// type, so a number never equals the text that spells it. A property that is missing, or was set to
// null, does not exist; IsNot, NotIn and NotExists hold for it, every other comparison does not.
//
// The name of a property is literal: a dot in it is a dot. At leads to a value inside a property
// that is an object.
//
// The conditions on a value are the same for properties of users and for fields of payloads;
// [TextOf], [NumberOf], [BoolOf], [TimeOf] and [ListOf] document them. "Checked when the value is
// set" means for a property: whenever an ingest carries it, in its traits or in its payload. A
// field is checked once, when its event is ingested.

// TextProperty is a property of users whose values are texts. [Text] declares one.
type TextProperty struct{ TextOf[Criteria] }

// Text declares a property whose values are texts.
func Text(name string) TextProperty {
	return TextProperty{TextOf[Criteria]{reference{name: name, typ: ir.Text}}}
}

// At is the text at the end of a path of keys, from a property that is an object:
// Text("address").At("geo", "city"). Where the path does not lead through objects there is no
// value. Lists are not entered.
func (p TextProperty) At(keys ...string) TextProperty {
	p.of = p.of.at(keys)
	return p
}

// TraitsOnly makes the property ignore payloads of events: only traits set it. All declarations of
// a property must agree on that.
func (p TextProperty) TraitsOnly() TextProperty {
	p.of.traitsOnly = true
	return p
}

// NumberProperty is a property of users whose values are numbers. [Number] declares one.
type NumberProperty struct{ NumberOf[Criteria] }

// Number declares a property whose values are numbers. Numbers are float64: beyond 2^53
// neighbouring integers are equal.
func Number(name string) NumberProperty {
	return NumberProperty{NumberOf[Criteria]{reference{name: name, typ: ir.Number}}}
}

// At is the number at the end of a path of keys. See [TextProperty.At].
func (p NumberProperty) At(keys ...string) NumberProperty {
	p.of = p.of.at(keys)
	return p
}

// TraitsOnly makes the property ignore payloads of events. See [TextProperty.TraitsOnly].
func (p NumberProperty) TraitsOnly() NumberProperty {
	p.of.traitsOnly = true
	return p
}

// BoolProperty is a property of users whose values are true and false. [Bool] declares one.
type BoolProperty struct{ BoolOf[Criteria] }

// Bool declares a property whose values are true and false.
func Bool(name string) BoolProperty {
	return BoolProperty{BoolOf[Criteria]{reference{name: name, typ: ir.Bool}}}
}

// At is the truth value at the end of a path of keys. See [TextProperty.At].
func (p BoolProperty) At(keys ...string) BoolProperty {
	p.of = p.of.at(keys)
	return p
}

// TraitsOnly makes the property ignore payloads of events. See [TextProperty.TraitsOnly].
func (p BoolProperty) TraitsOnly() BoolProperty {
	p.of.traitsOnly = true
	return p
}

// TimeProperty is a property of users whose values are instants, written as RFC 3339 texts like
// "2026-11-23T09:30:00Z". [Time] declares one. A text in another form exists, and no other
// condition holds for it.
type TimeProperty struct{ TimeOf[Criteria] }

// Time declares a property whose values are instants, written as RFC 3339 texts.
func Time(name string) TimeProperty {
	return TimeProperty{TimeOf[Criteria]{reference{name: name, typ: ir.Time}}}
}

// At is the instant at the end of a path of keys. See [TextProperty.At].
func (p TimeProperty) At(keys ...string) TimeProperty {
	p.of = p.of.at(keys)
	return p
}

// TraitsOnly makes the property ignore payloads of events. See [TextProperty.TraitsOnly].
func (p TimeProperty) TraitsOnly() TimeProperty {
	p.of.traitsOnly = true
	return p
}

// ListProperty is a property of users whose values are lists of texts. [List] declares one.
type ListProperty struct{ ListOf[Criteria] }

// List declares a property whose values are lists of texts. A list may contain other values, too:
// they count in its length and equal no text.
func List(name string) ListProperty {
	return ListProperty{ListOf[Criteria]{reference{name: name, typ: ir.List}}}
}

// At is the list at the end of a path of keys. See [TextProperty.At].
func (p ListProperty) At(keys ...string) ListProperty {
	p.of = p.of.at(keys)
	return p
}

// TraitsOnly makes the property ignore payloads of events. See [TextProperty.TraitsOnly].
func (p ListProperty) TraitsOnly() ListProperty {
	p.of.traitsOnly = true
	return p
}

// reference names the value of a condition.
type reference struct {
	name       string
	path       []string
	event      string // event whose payload has the value; empty: the user has it
	typ        ir.Type
	traitsOnly bool
	of         *Occurrences // occurrences with the one whose field is compared; nil: all that a filter sees
}

func (r reference) at(keys []string) reference {
	r.path = slices.Concat(r.path, keys)
	return r
}
