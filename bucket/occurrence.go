package bucket

import "github.com/bucketgen/bucketgen/internal/ir"

// Occurrence is a single occurrence of an event: the first ever, or the last. [Occurrences.First]
// and [Occurrences.Last] return one. It is not a condition yet: ask for a field of its payload, as
// in Product.Of(Purchase.First()).Is("book").
//
// All conditions on a field exist here, too, and give [Criteria]. They are evaluated as of now, not
// as of the instant at which the event occurred. While there is no occurrence, the field is
// missing.
type Occurrence struct{ of Occurrences }

// First is the first occurrence ever. Of several at one instant it is the one that arrived first;
// an event that arrives late may take its place.
func (o Occurrences) First() Occurrence { return o.single(ir.First) }

// Last is the last occurrence so far. Of several at one instant it is the one that arrived last.
func (o Occurrences) Last() Occurrence { return o.single(ir.Last) }

func (o Occurrences) single(a ir.Aggregate) Occurrence {
	if w := o.check.Window; w != nil && w.From == nil && w.To == nil {
		o = o.problem("the first or last occurrence is asked for within a window that moves; drop the window, or ask for it between two instants")
	}
	o.check.Aggregate = a
	return Occurrence{o}
}

// Of is the text in the field of a single occurrence. Checked when the event arrives.
func (f TextField) Of(o Occurrence) TextOf[Criteria] { return TextOf[Criteria]{f.of.inside(o)} }

// Of is the number in the field of a single occurrence. Checked when the event arrives.
func (f NumberField) Of(o Occurrence) NumberOf[Criteria] { return NumberOf[Criteria]{f.of.inside(o)} }

// Of is the truth value in the field of a single occurrence. Checked when the event arrives.
func (f BoolField) Of(o Occurrence) BoolOf[Criteria] { return BoolOf[Criteria]{f.of.inside(o)} }

// Of is the instant in the field of a single occurrence. Checked when the event arrives, and at the
// instants at which the clock changes the answer.
func (f TimeField) Of(o Occurrence) TimeOf[Criteria] { return TimeOf[Criteria]{f.of.inside(o)} }

// Of is the list in the field of a single occurrence. Checked when the event arrives.
func (f ListField) Of(o Occurrence) ListOf[Criteria] { return ListOf[Criteria]{f.of.inside(o)} }

func (r reference) inside(o Occurrence) reference {
	r.of = &o.of
	return r
}
