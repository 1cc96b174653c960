package words

import (
	"fmt"
	"math"
	"strings"

	"github.com/bucketgen/bucketgen/registry"
)

// condition is what a single condition says, with what belongs to it. An operation without words has none.
func (s speaker) condition(nodes []registry.Node, naming func(registry.Property) string) string {
	n := &nodes[0]
	switch {
	case n.Op.IsProperty():
		return naming(n.Property) + " " + comparison(n)
	case n.Op == registry.OpFirst || n.Op == registry.OpLast:
		return fmt.Sprintf("%s %s: %s", n.Op, s.occurrences(n.Signal), s.expression(nodes[1:], s.field))
	case n.Op.IsSignal():
		return s.signal(n)
	case n.Op.IsSequence():
		return s.sequence(n)
	}
	switch n.Op {
	case registry.OpSince:
		return "since " + n.Value.Time.String()
	case registry.OpUntil:
		return "before " + n.Value.Time.String()
	case registry.OpInBucket:
		return "in bucket " + s.registry.Buckets[n.Bucket].ID
	case registry.OpSample:
		return fmt.Sprintf("in the sample %q of %s%% of all users", n.Value.Text, number(n.With.Numbers[0]))
	default:
		return ""
	}
}

// comparison says what a condition wants of a property.
func comparison(n *registry.Node) string { //nolint:funlen // a line for every operation
	value, anyCase := Value(n.Value), " in any letter case"
	switch n.Op {
	case registry.OpExists:
		return "has a value"
	case registry.OpIs:
		return "is " + value
	case registry.OpMoreThan:
		return "is more than " + value
	case registry.OpNotLess:
		if n.Value.Number == -math.MaxFloat64 { // what sums, minima and maxima ask, whose fields must be one
			return "is a number"
		}
		return "is at least " + value
	case registry.OpLessThan:
		return "is less than " + value
	case registry.OpNotMore:
		return "is at most " + value
	case registry.OpContains:
		return "contains " + value
	case registry.OpBefore:
		return "is before " + value
	case registry.OpAfter:
		return "is after " + value
	case registry.OpInTheLast:
		return "is in the last " + Duration(n.Span)
	case registry.OpMoreThanAgo:
		return "is at least " + Duration(n.Span) + " ago"
	case registry.OpInTheNext:
		return "is in the next " + Duration(n.Span)
	case registry.OpIn:
		return "is one of " + texts(n.With.Texts)
	case registry.OpInNumbers:
		return "is one of " + numbers(n.With.Numbers)
	case registry.OpBetween:
		return fmt.Sprintf("is from %s to %s", number(n.With.Numbers[0]), number(n.With.Numbers[1]))
	case registry.OpTimeBetween:
		return fmt.Sprintf("is from %s to %s", n.With.From, n.With.To)
	case registry.OpHasPrefix:
		return "begins with " + value
	case registry.OpHasSuffix:
		return "ends with " + value
	case registry.OpMatches:
		return "matches the pattern " + value
	case registry.OpIsFold:
		return "is " + value + anyCase
	case registry.OpInFold:
		return "is one of " + texts(n.With.Texts) + anyCase
	case registry.OpContainsFold:
		return "contains " + value + anyCase
	case registry.OpHasPrefixFold:
		return "begins with " + value + anyCase
	case registry.OpHasSuffixFold:
		return "ends with " + value + anyCase
	case registry.OpToday:
		return "is " + period(registry.Day, n.With.Zone)
	case registry.OpThisWeek:
		return "is " + period(registry.Week, n.With.Zone)
	case registry.OpThisMonth:
		return "is " + period(registry.Month, n.With.Zone)
	case registry.OpHasAny:
		return "has one of " + texts(n.With.Texts)
	case registry.OpHasAll:
		return "has all of " + texts(n.With.Texts)
	case registry.OpLengthIs:
		return "has exactly " + Count(n.Count, "element")
	case registry.OpLengthAtLeast:
		return "has at least " + Count(n.Count, "element")
	case registry.OpLengthAtMost:
		return "has at most " + Count(n.Count, "element")
	case registry.OpHasBeen:
		return fmt.Sprintf("is %s and has been for at least %s", value, Duration(n.Span))
	case registry.OpChanged:
		return "changed" + change(" from ", n.With.From) + change(" to ", n.With.To) + " in the last " + Duration(n.Span)
	default:
		return ""
	}
}

func change(word string, v registry.Value) string {
	if !v.Exists() {
		return ""
	}
	return word + Value(v)
}

// signal says what a condition wants of the occurrences of a signal.
func (s speaker) signal(n *registry.Node) string {
	which, when := s.occurrences(n.Signal), window(n.Window)
	row := &s.registry.Signals[n.Signal]
	switch n.Op {
	case registry.OpAtLeast, registry.OpAtMost, registry.OpExactly:
		if n.Op == registry.OpAtMost && n.Count == 0 && row.Distinct == registry.DistinctNone {
			return "no " + which + " " + when
		}
		return which + " " + s.tally(row, bound(n.Op), n.Count) + " " + when
	case registry.OpFirstWithin:
		return which + " for the first time ever " + when
	case registry.OpOnly:
		return fmt.Sprintf("%s at least once, but no %s, %s", which, s.occurrences(n.Other), when)
	case registry.OpSum:
		return fmt.Sprintf("%s with a sum of %s of %s %s %s", which, s.field(row.Field), compared(n.Compare), Value(n.Value), when)
	case registry.OpAverage:
		return fmt.Sprintf("%s with an average %s of %s %s %s", which, s.field(row.Field), compared(n.Compare), Value(n.Value), when)
	default:
		return ""
	}
}

func bound(op registry.Op) string {
	switch op {
	case registry.OpAtLeast:
		return "at least"
	case registry.OpAtMost:
		return "at most"
	default:
		return "exactly"
	}
}

// tally says how many occurrences there are, by what tells them apart.
func (s speaker) tally(row *registry.SignalRow, bound string, n int) string {
	switch row.Distinct {
	case registry.DistinctValues:
		return fmt.Sprintf("with %s %s of %s", bound, Count(n, "different value"), s.group(row.Field))
	case registry.DistinctDays:
		return fmt.Sprintf("on %s %s in %s,", bound, Count(n, "different day"), row.Zone)
	default:
		return bound + " " + times(n)
	}
}

func compared(c registry.Compare) string {
	switch c {
	case registry.CompareAtLeast:
		return "at least"
	case registry.CompareMoreThan:
		return "more than"
	case registry.CompareAtMost:
		return "at most"
	case registry.CompareLessThan:
		return "less than"
	default:
		return "exactly"
	}
}

// sequence says which events follow each other, or which does not follow.
func (s speaker) sequence(n *registry.Node) string {
	row := &s.registry.Sequences[n.Sequence]
	var b strings.Builder
	for i := range row.Steps {
		step := &row.Steps[i]
		switch last := i == len(row.Steps)-1; {
		case i == 0:
		case last && row.Unless:
			if row.Within > 0 {
				b.WriteString(", all within " + Duration(row.Within))
			}
			b.WriteString(", then no ")
		default:
			b.WriteString(", then ")
		}
		b.WriteString(s.occurrences(step.Signal))
		if row.Keyed {
			b.WriteString(" (by " + s.group(s.registry.Signals[step.Signal].Field) + ")")
		}
		if step.Within > 0 {
			b.WriteString(" within " + Duration(step.Within))
		}
	}
	if row.Within > 0 && !row.Unless {
		b.WriteString(", all within " + Duration(row.Within))
	}
	return b.String() + ", " + window(n.Window)
}
