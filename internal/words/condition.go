package words

import (
	"fmt"
	"math"
	"strings"

	"github.com/bucketgen/bucketgen/registry/table"
)

// condition is the text of a single condition. An operation without words has none.
func (s speaker) condition(nodes []table.Node, naming func(table.PropertyIndex) string) string {
	n := &nodes[0]
	switch {
	case n.Op.IsProperty():
		return naming(n.Property) + " " + comparison(n)
	case n.Op == table.OpFirst || n.Op == table.OpLast:
		return fmt.Sprintf("%s %s: %s", n.Op, s.occurrences(n.Signal), s.expression(nodes[1:], s.field))
	case n.Op.IsSignal():
		return s.signal(n)
	case n.Op.IsSequence():
		return s.sequence(n)
	}
	switch n.Op {
	case table.OpSince:
		return "since " + n.Value.Time.String()
	case table.OpUntil:
		return "before " + n.Value.Time.String()
	case table.OpInBucket:
		return "in bucket " + s.registry.Buckets[n.Bucket].ID
	case table.OpSample:
		return fmt.Sprintf("in the sample %q of %s%% of all users", n.Value.Text, number(n.With.Numbers[0]))
	default:
		return ""
	}
}

// comparison describes the condition on a property.
func comparison(n *table.Node) string { //nolint:funlen // a line for every operation
	value, anyCase := Value(n.Value), " in any letter case"
	switch n.Op {
	case table.OpExists:
		return "has a value"
	case table.OpIs:
		return "is " + value
	case table.OpMoreThan:
		return "is more than " + value
	case table.OpNotLess:
		if n.Value.Number == -math.MaxFloat64 { // from sums, minima and maxima, whose fields must be numbers
			return "is a number"
		}
		return "is at least " + value
	case table.OpLessThan:
		return "is less than " + value
	case table.OpNotMore:
		return "is at most " + value
	case table.OpContains:
		return "contains " + value
	case table.OpBefore:
		return "is before " + value
	case table.OpAfter:
		return "is after " + value
	case table.OpInTheLast:
		return "is in the last " + Duration(n.Span)
	case table.OpMoreThanAgo:
		return "is at least " + Duration(n.Span) + " ago"
	case table.OpInTheNext:
		return "is in the next " + Duration(n.Span)
	case table.OpIn:
		return "is one of " + texts(n.With.Texts)
	case table.OpInNumbers:
		return "is one of " + numbers(n.With.Numbers)
	case table.OpBetween:
		return fmt.Sprintf("is from %s to %s", number(n.With.Numbers[0]), number(n.With.Numbers[1]))
	case table.OpTimeBetween:
		return fmt.Sprintf("is from %s to %s", n.With.From, n.With.To)
	case table.OpHasPrefix:
		return "begins with " + value
	case table.OpHasSuffix:
		return "ends with " + value
	case table.OpMatches:
		return "matches the pattern " + value
	case table.OpIsFold:
		return "is " + value + anyCase
	case table.OpInFold:
		return "is one of " + texts(n.With.Texts) + anyCase
	case table.OpContainsFold:
		return "contains " + value + anyCase
	case table.OpHasPrefixFold:
		return "begins with " + value + anyCase
	case table.OpHasSuffixFold:
		return "ends with " + value + anyCase
	case table.OpToday:
		return "is " + period(table.Day, n.With.Zone)
	case table.OpThisWeek:
		return "is " + period(table.Week, n.With.Zone)
	case table.OpThisMonth:
		return "is " + period(table.Month, n.With.Zone)
	case table.OpHasAny:
		return "has one of " + texts(n.With.Texts)
	case table.OpHasAll:
		return "has all of " + texts(n.With.Texts)
	case table.OpLengthIs:
		return "has exactly " + Count(n.Count, "element")
	case table.OpLengthAtLeast:
		return "has at least " + Count(n.Count, "element")
	case table.OpLengthAtMost:
		return "has at most " + Count(n.Count, "element")
	case table.OpHasBeen:
		return fmt.Sprintf("is %s and has been for at least %s", value, Duration(n.Span))
	case table.OpChanged:
		return "changed" + change(" from ", n.With.From) + change(" to ", n.With.To) + " in the last " + Duration(n.Span)
	default:
		return ""
	}
}

func change(word string, v table.Value) string {
	if !v.Exists() {
		return ""
	}
	return word + Value(v)
}

// signal describes the condition on the occurrences of a signal.
func (s speaker) signal(n *table.Node) string {
	which, when := s.occurrences(n.Signal), window(n.Window)
	row := &s.registry.Signals[n.Signal]
	switch n.Op {
	case table.OpAtLeast, table.OpAtMost, table.OpExactly:
		if n.Op == table.OpAtMost && n.Count == 0 && row.Distinct == table.DistinctNone {
			return "no " + which + " " + when
		}
		return which + " " + s.tally(row, bound(n.Op), n.Count) + " " + when
	case table.OpFirstWithin:
		return which + " for the first time ever " + when
	case table.OpOnly:
		return fmt.Sprintf("%s at least once, but no %s, %s", which, s.occurrences(n.Other), when)
	case table.OpSum:
		return fmt.Sprintf("%s with a sum of %s of %s %s %s", which, s.field(row.Field), compared(n.Compare), Value(n.Value), when)
	case table.OpAverage:
		return fmt.Sprintf("%s with an average %s of %s %s %s", which, s.field(row.Field), compared(n.Compare), Value(n.Value), when)
	default:
		return ""
	}
}

func bound(op table.Op) string {
	switch op {
	case table.OpAtLeast:
		return "at least"
	case table.OpAtMost:
		return "at most"
	default:
		return "exactly"
	}
}

// tally describes the number of occurrences, or of their different values.
func (s speaker) tally(row *table.Signal, bound string, n int) string {
	switch row.Distinct {
	case table.DistinctValues:
		return fmt.Sprintf("with %s %s of %s", bound, Count(n, "different value"), s.group(row.Field))
	case table.DistinctDays:
		return fmt.Sprintf("on %s %s in %s,", bound, Count(n, "different day"), row.Zone)
	default:
		return bound + " " + times(n)
	}
}

func compared(c table.Compare) string {
	switch c {
	case table.CompareAtLeast:
		return "at least"
	case table.CompareMoreThan:
		return "more than"
	case table.CompareAtMost:
		return "at most"
	case table.CompareLessThan:
		return "less than"
	default:
		return "exactly"
	}
}

// sequence describes which events follow each other, or which one does not follow.
func (s speaker) sequence(n *table.Node) string {
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
