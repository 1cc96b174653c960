package table

import (
	"math/big"
	"slices"
)

// Evidence is what a verdict rests on. The operation decides which fields are set. An instant that
// does not exist is Unset.
type Evidence struct {
	Value      Value       // of the property, or of the field of the single occurrence
	LastChange *LastChange // the last one of the property, of conditions on its history

	Counted  *Counted // of conditions on how often something occurred
	Other    *Counted // of what must not have occurred, of OpOnly
	Quantity *Quantity
	Chain    *Chain  // of conditions on a sequence
	At       Instant // of the single occurrence, of OpFirst, OpLast, OpFirstWithin
	Draw     float64 // the number from 0 up to 100 that the user has in a sample
}

// Counted is how often a signal occurred in a window, as far as that was loaded.
type Counted struct {
	Count  int  // or how many groups there are
	More   bool // there may be more
	Newest Instant
	Groups []Dated // of a distinct signal, newest first

	// Rank is the position, from 1, of the occurrence among the newest that decides the condition;
	// 0 if none does. It occurred at Deciding and leaves the window at Leaves.
	Rank     int
	Deciding Instant
	Leaves   Instant
}

// Quantity is an exact sum over a window.
type Quantity struct {
	Total  *big.Rat
	Count  int     // of occurrences
	Leaves Instant // when the oldest of them leaves the window
}

// Chain is how far the user is in a sequence.
type Chain struct {
	Steps int     // that the newest chain took, or all
	Begin Instant // Unset also where only the end is known
	End   Instant

	// Open are the open chains that may count, oldest first, if the sequence waits for an answer.
	Open []OpenChain
}

// noEvidence belongs to conditions whose verdict has no further detail.
var noEvidence = Evidence{At: Unset}

// evidence returns what the verdict of a condition rests on. It reads the same facts as the
// condition.
func (f *Facts) evidence(n *Node) Evidence {
	e := noEvidence
	switch {
	case n.Op == OpHasBeen || n.Op == OpChanged:
		e.Value, e.LastChange = *f.value(n.Property), f.lastChange(n.Property)
	case n.Op.IsProperty():
		e.Value = *f.value(n.Property)
	case n.Op == OpSample:
		e.Draw = f.draw(n.Value.Text)
	case n.Op == OpFirst:
		total := f.totalOf(n.Signal)
		e.Value, e.At = total.ends().First, total.First
	case n.Op == OpLast:
		total := f.totalOf(n.Signal)
		e.Value, e.At = total.ends().Last, total.Last
	case n.Op == OpFirstWithin:
		e.At = f.totalOf(n.Signal).First
	case n.Op == OpAtLeast:
		e.Counted = f.counted(n.Signal, n.Window, n.Count)
	case n.Op == OpAtMost:
		e.Counted = f.counted(n.Signal, n.Window, n.Count+1)
	case n.Op == OpExactly:
		e.Counted = f.counted(n.Signal, n.Window, n.Count+1, n.Count)
	case n.Op == OpOnly:
		e.Counted, e.Other = f.counted(n.Signal, n.Window, 1), f.counted(n.Other, n.Window, 1)
	case n.Op == OpSum || n.Op == OpAverage:
		e.Quantity = f.quantityOf(n.Signal, n.Window)
	case n.Op == OpCompleted:
		e.Chain = f.completedChain(n.Sequence)
	case n.Op == OpUnanswered:
		e.Chain = &Chain{Begin: Unset, End: Unset, Open: f.openIn(n.Sequence, n.Window)}
	}
	return e
}

// draw returns the number of a user in a sample, from 0 up to 100.
func (f *Facts) draw(salt string) float64 {
	const all = 1 << 64
	return float64(f.hash(salt)) / all * 100
}

// counted counts a signal in a window. The condition rests on the first of ranks that exists. A
// first rank of 0 or less needs no count.
func (f *Facts) counted(s SignalIndex, w Window, ranks ...int) *Counted {
	row := &f.registry.Signals[s]
	if ranks[0] <= 0 {
		return nil
	}
	if w == Ever && row.Distinct == DistinctNone {
		total := f.totalOf(s)
		return &Counted{Count: total.Count, Newest: total.Last, Deciding: Unset, Leaves: Never}
	}
	var inside []Dated
	var more bool
	if w.Until > 0 {
		inside, more = f.inPastWindow(s, w)
	} else {
		inside, more = f.inWindow(s, w)
	}
	c := &Counted{Count: len(inside), More: more, Newest: Unset, Deciding: Unset, Leaves: Never}
	if len(inside) > 0 {
		c.Newest = inside[0].At
	}
	if row.Distinct != DistinctNone {
		c.Groups = inside
	}
	for _, rank := range ranks {
		if rank > 0 && rank <= len(inside) {
			c.Rank, c.Deciding = rank, inside[rank-1].At
			c.Leaves = w.end(c.Deciding)
			break
		}
	}
	return c
}

// inWindow returns the occurrences in a window that ends now, newest first, and whether there may
// be more.
func (f *Facts) inWindow(s SignalIndex, w Window) (inside []Dated, more bool) {
	newest := f.newest(s)
	n := 0
	for n < len(newest) && w.end(newest[n].At) > f.now {
		n++
	}
	return newest[:n:n], n > 0 && n == f.registry.Signals[s].Newest
}

// inPastWindow is inWindow for a window that ends some time ago.
func (f *Facts) inPastWindow(s SignalIndex, w Window) (inside []Dated, more bool) {
	some, known := f.around(s, w)
	if !known {
		return nil, false
	}
	i := some.until(f.now.Add(-w.Until))
	for i > 0 && w.end(some.At[i-1]) > f.now {
		i--
		inside = append(inside, Dated{At: some.At[i]})
	}
	return inside, i == 0 && some.Earlier
}

func (f *Facts) quantityOf(s SignalIndex, w Window) *Quantity {
	q := &Quantity{Total: new(big.Rat), Leaves: Never}
	if sum := f.sumIn(s, w); sum != nil {
		q.Total, q.Count = sum.Total, sum.Count
		if len(sum.Oldest) > 0 {
			q.Leaves = w.end(sum.Oldest[0].At)
		}
	}
	return q
}

// completedChain returns the newest chain of a sequence, as far as it came. Of a keyed sequence
// only the end is known.
func (f *Facts) completedChain(s SequenceIndex) *Chain {
	row := &f.registry.Sequences[s]
	if row.Keyed {
		c := &Chain{Begin: Unset, End: f.completion(s)}
		if c.End != Unset {
			c.Steps = len(row.chain())
		}
		return c
	}
	c := &Chain{Begin: Unset, End: Unset}
	p := f.progressIn(s, "")
	if p == nil {
		return c
	}
	for i, end := range slices.Backward(p.Ends) {
		if end != Unset {
			return &Chain{Steps: i + 1, Begin: p.Begins[i], End: end}
		}
	}
	return c
}
