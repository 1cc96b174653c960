package refeval

import (
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Never is the horizon of what no clock changes: the zero time.
var Never time.Time

// Until returns the horizon of a criteria. For a single condition it is the first instant after now
// at which its truth differs, or for the membership of another bucket the due instant of that. For
// a combination it is what the contract derives from the horizons of its parts, which is a lower
// bound.
func Until(n *ir.Node, f *Facts, now time.Time) time.Time {
	switch n.Op {
	case ir.OpNot:
		return Until(n.Children[0], f, now)
	case ir.OpAll:
		return combine(n, f, now, true)
	case ir.OpAny:
		return combine(n, f, now, false)
	case ir.OpAtLeastOf:
		return atLeastOf(n, f, now)
	case ir.OpMember:
		return f.Due[n.Bucket]
	default:
		return NextChange(n, f, now)
	}
}

// combine is the rule for All, and with neutral false its dual for Any. All that is true ends with
// the first of its parts; All that is false waits for the last of those that are false.
func combine(n *ir.Node, f *Facts, now time.Time, neutral bool) time.Time {
	if Holds(n, f, now) == neutral {
		first := Never
		for _, child := range n.Children {
			if t := Until(child, f, now); !t.IsZero() && (first.IsZero() || t.Before(first)) {
				first = t
			}
		}
		return first
	}
	last := now
	for _, child := range n.Children {
		if Holds(child, f, now) == neutral {
			continue
		}
		t := Until(child, f, now)
		if t.IsZero() {
			return Never
		}
		if t.After(last) {
			last = t
		}
	}
	return last
}

// atLeastOf returns the first horizon of a part up to which enough parts may have changed to change
// the answer: at worst all that hold still do, and those that fail for good never help.
func atLeastOf(n *ir.Node, f *Facts, now time.Time) time.Time {
	holds, first := Holds(n, f, now), Never
	for _, candidate := range n.Children {
		t := Until(candidate, f, now)
		if t.IsZero() || !first.IsZero() && !t.Before(first) {
			continue
		}
		holding := 0
		for _, child := range n.Children {
			is, until := Holds(child, f, now), Until(child, f, now)
			changed := is == holds && !until.IsZero() && !until.After(t)
			if is != changed {
				holding++
			}
		}
		if (holding >= n.Count) != holds {
			first = t
		}
	}
	return first
}

// NextChange returns the first instant after now at which the truth of a criteria really differs,
// if nothing but time happens.
func NextChange(n *ir.Node, f *Facts, now time.Time) time.Time {
	truth := Holds(n, f, now)
	instants := Instants(n, f)
	slices.SortFunc(instants, time.Time.Compare)
	for _, t := range instants {
		if t.After(now) && Holds(n, f, t) != truth {
			return t
		}
	}
	return Never
}

// Instants returns every instant at which a criteria could conceivably change by time alone, and
// the instants next to those, in no order: should it be a mistake to think that an interval begins
// or ends there, that shows.
func Instants(n *ir.Node, f *Facts) []time.Time {
	var all []time.Time
	add := func(t time.Time) { all = append(all, t.Add(-micro), t, t.Add(micro)) }
	switch {
	case n.Event != nil:
		for _, t := range eventInstants(n.Event, f) {
			add(t)
		}
	case n.Sequence != nil:
		for _, t := range sequenceInstants(n.Sequence, f) {
			add(t)
		}
	case n.Property != nil:
		for _, t := range propertyInstants(n.Property, f) {
			add(t)
		}
	}
	for _, child := range n.Children {
		all = append(all, Instants(child, f)...)
	}
	return all
}

// propertyInstants are the instants that a condition on a property may speak of.
func propertyInstants(p *ir.PropertyCheck, f *Facts) []time.Time {
	var all []time.Time
	if t, isInstant := instant(valueOf(p, f)); isInstant {
		all = append(all, t, t.Add(p.Span), t.Add(-p.Span))
		if p.Zone != "" {
			begin, end := period(p, t)
			all = append(all, begin, end)
		}
	}
	if change, known := f.Changes[p.Name]; known && (p.Operator == ir.HasBeen || p.Operator == ir.Changed) {
		all = append(all, change.At, change.At.Add(p.Span))
	}
	return all
}
