package table

import "time"

// Op is the operation of a node of a criteria.
type Op uint8

// The operations of nodes: the first four combine the nodes that follow, the others are conditions.
const (
	OpAll Op = iota
	OpAny
	OpNot
	OpAtLeastOf     // Count
	OpSince         // Value: in filters, about the instant of the event
	OpUntil         // Value
	OpInBucket      // Bucket
	OpSample        // With.Numbers: percent; Value: the salt
	OpExists        // Property
	OpIs            // Property, Value
	OpMoreThan      // Property, Value
	OpNotLess       // Property, Value
	OpLessThan      // Property, Value
	OpNotMore       // Property, Value
	OpContains      // Property, Value
	OpBefore        // Property, Value
	OpAfter         // Property, Value
	OpInTheLast     // Property, Span
	OpMoreThanAgo   // Property, Span
	OpInTheNext     // Property, Span
	OpIn            // Property, With.Texts
	OpInNumbers     // Property, With.Numbers
	OpBetween       // Property, With.Numbers: the least and the most
	OpTimeBetween   // Property, With.From, With.To
	OpHasPrefix     // Property, Value
	OpHasSuffix     // Property, Value
	OpMatches       // Property, Value
	OpIsFold        // Property, Value
	OpInFold        // Property, With.Texts
	OpContainsFold  // Property, Value
	OpHasPrefixFold // Property, Value
	OpHasSuffixFold // Property, Value
	OpToday         // Property, With.Zone
	OpThisWeek      // Property, With.Zone
	OpThisMonth     // Property, With.Zone
	OpHasAny        // Property, With.Texts
	OpHasAll        // Property, With.Texts
	OpLengthIs      // Property, Count
	OpLengthAtLeast // Property, Count
	OpLengthAtMost  // Property, Count
	OpHasBeen       // Property, Value, Span
	OpChanged       // Property, With.From, With.To: missing for any; Span
	OpAtLeast       // Signal, Count, Window
	OpAtMost        // Signal, Count, Window
	OpExactly       // Signal, Count, Window
	OpFirstWithin   // Signal, Window
	OpOnly          // Signal, Other, Window
	OpSum           // Signal, Window, Compare, Value
	OpAverage       // Signal, Window, Compare, Value
	OpFirst         // Signal; the next condition is on the field of the first occurrence
	OpLast          // Signal; the same of the last occurrence
	OpCompleted     // Sequence, Window
	OpUnanswered    // Sequence, Window
)

// opNames are part of fingerprints: a released name never changes.
var opNames = [...]string{
	"all", "any", "not", "at_least_of", "since", "until",
	"in_bucket", "sample",
	"exists", "is", "more_than", "not_less", "less_than", "not_more", "contains",
	"before", "after", "in_the_last", "more_than_ago", "in_the_next",
	"in", "in_numbers", "between", "time_between", "has_prefix", "has_suffix", "matches",
	"is_fold", "in_fold", "contains_fold", "has_prefix_fold", "has_suffix_fold", "today", "this_week", "this_month",
	"has_any", "has_all", "length_is", "length_at_least", "length_at_most", "has_been", "changed",
	"at_least", "at_most", "exactly",
	"first_within", "only", "sum", "average",
	"first", "last", "completed", "unanswered",
}

// Ops is the number of operations.
const Ops = len(opNames)

// String returns the name of the operation.
func (o Op) String() string { return opNames[o] }

// Combines reports whether a node of this operation combines the nodes that follow it.
func (o Op) Combines() bool { return o <= OpAtLeastOf }

// IsSignal reports whether a node of this operation asks about a signal.
func (o Op) IsSignal() bool { return o >= OpAtLeast && o < OpCompleted }

// IsSequence reports whether a node of this operation asks about a sequence.
func (o Op) IsSequence() bool { return o >= OpCompleted }

// IsProperty reports whether a node of this operation asks about a property.
func (o Op) IsProperty() bool { return o >= OpExists && o < OpAtLeast }

// Node is a node of a criteria. The nodes of a criteria are one array, each before the nodes that
// it combines.
type Node struct {
	Op       Op
	Size     int // nodes of this subtree, itself included
	Property PropertyIndex
	Signal   SignalIndex
	Other    SignalIndex
	Bucket   BucketIndex
	Sequence SequenceIndex
	Count    int
	Compare  Compare
	Window   Window
	Span     time.Duration
	Value    Value
	With     *Operands // of the operations that take more
}

// Operands are what few operations need. They are apart from the nodes, which are many.
type Operands struct {
	Texts    []string  // sorted
	Numbers  []float64 // sorted
	From, To Value
	Zone     string // a name of the IANA time zone database
}

// evaluate is the table form of a generated criteria function.
func (f *Facts) evaluate(nodes []Node) Verdict { //nolint:funlen // a line for every operation
	n := &nodes[0]
	switch n.Op {
	case OpAll:
		all := Verdict{true, Never}
		for i := 1; i < n.Size; i += nodes[i].Size {
			all = all.and(f.evaluate(nodes[i:]))
		}
		return all
	case OpAny:
		some := Verdict{false, Never}
		for i := 1; i < n.Size; i += nodes[i].Size {
			some = some.or(f.evaluate(nodes[i:]))
		}
		return some
	case OpNot:
		return Not(f.evaluate(nodes[1:]))
	case OpAtLeastOf:
		var verdicts []Verdict
		for i := 1; i < n.Size; i += nodes[i].Size {
			verdicts = append(verdicts, f.evaluate(nodes[i:]))
		}
		return AtLeastOf(n.Count, verdicts...)
	case OpSince:
		return f.Since(n.Value.Time)
	case OpUntil:
		return f.Until(n.Value.Time)
	case OpInBucket:
		return f.InBucket(n.Bucket)
	case OpSample:
		return f.Sample(n.With.Numbers[0], n.Value.Text)
	case OpExists:
		return f.Exists(n.Property)
	case OpIs:
		return f.Is(n.Property, n.Value)
	case OpMoreThan:
		return f.MoreThan(n.Property, n.Value.Number)
	case OpNotLess:
		return f.NotLess(n.Property, n.Value.Number)
	case OpLessThan:
		return f.LessThan(n.Property, n.Value.Number)
	case OpNotMore:
		return f.NotMore(n.Property, n.Value.Number)
	case OpContains:
		return f.Contains(n.Property, n.Value.Text)
	case OpBefore:
		return f.Before(n.Property, n.Value.Time)
	case OpAfter:
		return f.After(n.Property, n.Value.Time)
	case OpInTheLast:
		return f.InTheLast(n.Property, n.Span)
	case OpMoreThanAgo:
		return f.MoreThanAgo(n.Property, n.Span)
	case OpInTheNext:
		return f.InTheNext(n.Property, n.Span)
	case OpIn:
		return f.In(n.Property, n.With.Texts...)
	case OpInNumbers:
		return f.InNumbers(n.Property, n.With.Numbers...)
	case OpBetween:
		return f.Between(n.Property, n.With.Numbers[0], n.With.Numbers[1])
	case OpTimeBetween:
		return f.TimeBetween(n.Property, n.With.From.Time, n.With.To.Time)
	case OpHasPrefix:
		return f.HasPrefix(n.Property, n.Value.Text)
	case OpHasSuffix:
		return f.HasSuffix(n.Property, n.Value.Text)
	case OpMatches:
		return f.Matches(n.Property, n.Value.Text)
	case OpIsFold:
		return f.IsFold(n.Property, n.Value.Text)
	case OpInFold:
		return f.InFold(n.Property, n.With.Texts...)
	case OpContainsFold:
		return f.ContainsFold(n.Property, n.Value.Text)
	case OpHasPrefixFold:
		return f.HasPrefixFold(n.Property, n.Value.Text)
	case OpHasSuffixFold:
		return f.HasSuffixFold(n.Property, n.Value.Text)
	case OpToday:
		return f.Today(n.Property, n.With.Zone)
	case OpThisWeek:
		return f.ThisWeek(n.Property, n.With.Zone)
	case OpThisMonth:
		return f.ThisMonth(n.Property, n.With.Zone)
	case OpHasAny:
		return f.HasAny(n.Property, n.With.Texts...)
	case OpHasAll:
		return f.HasAll(n.Property, n.With.Texts...)
	case OpLengthIs:
		return f.LengthIs(n.Property, n.Count)
	case OpLengthAtLeast:
		return f.LengthAtLeast(n.Property, n.Count)
	case OpLengthAtMost:
		return f.LengthAtMost(n.Property, n.Count)
	case OpHasBeen:
		return f.HasBeen(n.Property, n.Value, n.Span)
	case OpChanged:
		return f.Changed(n.Property, n.With.From, n.With.To, n.Span)
	case OpAtLeast:
		return f.AtLeast(n.Signal, n.Count, n.Window)
	case OpAtMost:
		return f.AtMost(n.Signal, n.Count, n.Window)
	case OpExactly:
		return f.Exactly(n.Signal, n.Count, n.Window)
	case OpFirstWithin:
		return f.FirstWithin(n.Signal, n.Window)
	case OpOnly:
		return f.Only(n.Signal, n.Other, n.Window)
	case OpSum:
		return f.Sum(n.Signal, n.Window, n.Compare, n.Value.Number)
	case OpFirst:
		return f.First(n.Signal).evaluate(nodes[1:n.Size])
	case OpLast:
		return f.Last(n.Signal).evaluate(nodes[1:n.Size])
	case OpAverage:
		return f.Average(n.Signal, n.Window, n.Compare, n.Value.Number)
	case OpCompleted:
		return f.Completed(n.Sequence, n.Window)
	default: // OpUnanswered
		return f.Unanswered(n.Sequence, n.Window)
	}
}
