package table

import (
	"math"
	"slices"
	"time"
)

// AtLeast holds while a signal occurred n times or more within a window. The n-th newest occurrence
// decides: the condition ends when it leaves the window, and time alone does not bring it back.
func (f *Facts) AtLeast(s SignalIndex, n int, w Window) Verdict {
	if n <= 0 {
		return Verdict{true, Never}
	}
	if w.Until > 0 {
		some, known := f.around(s, w)
		if !known {
			return Verdict{false, Never}
		}
		return f.moving(func(now Instant) bool { return some.atLeast(n, now) }, some)
	}
	if w == Ever && f.registry.Signals[s].Distinct == DistinctNone {
		return fixed(f.totalOf(s).Count >= n)
	}
	newest := f.newest(s)
	if len(newest) < n {
		return Verdict{false, Never}
	}
	return f.whileIn(w.end(newest[n-1].At))
}

// whileIn is the verdict of a condition that ends at an instant for good.
func (f *Facts) whileIn(end Instant) Verdict {
	if end > f.now {
		return Verdict{true, end}
	}
	return Verdict{false, Never}
}

// AtMost holds while a signal occurred n times or fewer within a window. If it fails, it holds
// again once occurrence n+1 leaves the window.
func (f *Facts) AtMost(s SignalIndex, n int, w Window) Verdict {
	return Not(f.AtLeast(s, n+1, w))
}

// Exactly holds while a signal occurred n times within a window.
func (f *Facts) Exactly(s SignalIndex, n int, w Window) Verdict {
	if w.Until > 0 && n >= 0 {
		some, known := f.around(s, w)
		if !known {
			return Verdict{false, Never}
		}
		return f.moving(func(now Instant) bool { return some.atLeast(n, now) && !some.atLeast(n+1, now) }, some)
	}
	enough, more := f.AtLeast(s, n, w), f.AtLeast(s, n+1, w)
	switch {
	case !enough.True || n < 0:
		return Verdict{false, Never}
	case !more.True:
		return Verdict{true, enough.Until}
	case enough.Until == more.Until:
		// The n-th and the next newest leave together, so the count skips n.
		return Verdict{false, Never}
	default:
		return Verdict{false, more.Until}
	}
}

// count is the condition that a signal occurred at least some times within a span. A span of 0 is
// ever.
type count struct {
	signal  SignalIndex
	atLeast uint16
	span    uint16 // in flat.spans
}

// countOf returns a condition as a count, and whether it can be written as one. Ever is possible
// only for signals whose totals answer it.
func (x *flat) countOf(r *Registry, n *Node) (c count, isOne bool) {
	if n.Op != OpAtLeast || n.Count <= 0 || n.Count > math.MaxUint16 || n.Window != Within(n.Window.Span) ||
		n.Window == Ever && r.Signals[n.Signal].Distinct != DistinctNone {
		return count{}, false
	}
	span := slices.Index(x.spans, n.Window.Span)
	if span < 0 {
		span = len(x.spans)
		x.spans = append(x.spans, n.Window.Span)
	}
	return count{n.Signal, uint16(n.Count), uint16(span)}, span <= math.MaxUint16
}

// of is AtLeast of a count.
func (c count) of(f *Facts, spans []time.Duration) Verdict {
	span := spans[c.span]
	if span == 0 {
		return fixed(f.totalOf(c.signal).Count >= int(c.atLeast))
	}
	newest := f.newest(c.signal)
	if len(newest) < int(c.atLeast) {
		return Verdict{false, Never}
	}
	return f.whileIn(newest[c.atLeast-1].At.Add(span))
}
