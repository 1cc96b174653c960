package table

import (
	"strconv"
	"strings"
	"time"
)

// ValueKind is the type of a stored value.
type ValueKind uint8

// The kinds of values. A missing property and one that is null are the same; lists and objects only
// exist.
const (
	Missing ValueKind = iota
	Bool
	Number
	Text
	Time
	Composite // a list or an object
	List      // a list, where the property is declared as one
)

// valueKindNames are part of fingerprints: a released name never changes.
var valueKindNames = [...]string{"missing", "bool", "number", "text", "time", "composite", "list"}

// String returns the name of the kind.
func (k ValueKind) String() string { return valueKindNames[k] }

// Value is the value of a property, or the operand of a comparison. The zero value is a missing
// property. A value of kind Time is the text of a property declared as a time, parsed as an
// instant. A value of kind Composite has its JSON as Text when it is passed to [Facts.SetProperty].
type Value struct {
	Kind     ValueKind
	Bool     bool
	Number   float64
	Text     string
	Time     Instant
	Elements *Elements // of a List
}

// Size is roughly how many bytes of memory the value takes beside itself.
func (v Value) Size() int {
	const elements, text = 48, 16
	n := len(v.Text)
	if v.Elements != nil {
		n += elements
		for _, s := range v.Elements.Texts {
			n += text + len(s)
		}
	}
	return n
}

// Exists reports whether the property has a value.
func (v Value) Exists() bool { return v.Kind != Missing }

// Equal reports whether v and w are of one type and have one value. Lists and objects equal
// nothing.
func (v Value) Equal(w Value) bool {
	if v.Kind != w.Kind {
		return false
	}
	switch v.Kind {
	case Bool:
		return v.Bool == w.Bool
	case Number:
		return v.Number == w.Number
	case Text:
		return v.Text == w.Text
	case Time:
		return v.Time == w.Time
	case Missing, Composite, List:
	}
	return false
}

// Compare orders values by kind and value, as the sorted tables of the registry need it.
func (v Value) Compare(w Value) int {
	switch {
	case v.Kind != w.Kind:
		return int(v.Kind) - int(w.Kind)
	case v.Kind == Number:
		return order(v.Number, w.Number)
	case v.Kind == Text:
		return strings.Compare(v.Text, w.Text) // reads both once
	case v.Kind == Bool && v.Bool != w.Bool:
		if w.Bool {
			return -1
		}
		return 1
	case v.Kind == Time:
		return order(v.Time, w.Time)
	}
	return 0
}

// String returns the value as text for people.
func (v Value) String() string {
	switch v.Kind {
	case Bool:
		return strconv.FormatBool(v.Bool)
	case Number:
		return strconv.FormatFloat(v.Number+0, 'g', -1, 64) // -0 is 0
	case Text:
		return strconv.Quote(v.Text)
	case Time:
		return v.Time.String()
	case Composite:
		return "a list or object"
	case List:
		return "a list"
	case Missing:
	}
	return "missing"
}

// SpellsTime reports whether the value is a text that a property declared as a time accepts.
func (v Value) SpellsTime() bool { return v.asTime().Kind == Time }

// asTime parses a text as an instant in RFC 3339 form. It returns any other value unchanged.
func (v Value) asTime() Value {
	if v.Kind != Text {
		return v
	}
	t, err := time.Parse(time.RFC3339Nano, v.Text)
	if err != nil || v.Text[len("2006-01-02T15")] != ':' || v.Text[len("2006-01-02T15:04:05")] == ',' {
		return v // also where Parse is lax: an hour of one digit, a comma before the fraction
	}
	return Value{Kind: Time, Text: v.Text, Time: At(t)}
}
