package table

import (
	"math/big"
	"slices"
	"strconv"
)

// Compare says how a quantity is compared with a number.
type Compare uint8

// The comparisons.
const (
	CompareAtLeast Compare = iota
	CompareMoreThan
	CompareAtMost
	CompareLessThan
	CompareIs
)

// holds reports whether a comparison holds, given the sign of the quantity minus the number.
func (c Compare) holds(sign int) bool {
	switch c {
	case CompareAtLeast:
		return sign >= 0
	case CompareMoreThan:
		return sign > 0
	case CompareAtMost:
		return sign <= 0
	case CompareLessThan:
		return sign < 0
	default:
		return sign == 0
	}
}

// Decimal returns the exact value of a number's shortest decimal form, so that 0.1 and 0.2 make
// 0.3.
func Decimal(v float64) *big.Rat {
	d, _ := new(big.Rat).SetString(strconv.FormatFloat(v, 'g', -1, 64))
	if d == nil { // what is no number adds nothing
		return new(big.Rat)
	}
	return d
}

// DecimalText returns a decimal as text, with all of its digits.
func DecimalText(d *big.Rat) string {
	digits, _ := d.FloatPrec()
	return d.FloatString(digits)
}

// Summand is a number that is part of a sum until its occurrence leaves the window.
type Summand struct {
	At     Instant
	Number *big.Rat
}

// Sum is the sum of the field of a signal over a window as of some instant: of all occurrences
// after Cutoff. Oldest holds the loaded ones, those that leave the window next.
type Sum struct {
	Total  *big.Rat
	Count  int
	Cutoff Instant   // whatever occurred up to here has left the window; Unset if nothing has
	Oldest []Summand // in the order of their instants
	More   bool      // there are further ones after the oldest
}

// NoSum is the sum of a signal that never occurred.
func NoSum() Sum { return Sum{Total: new(big.Rat), Cutoff: Unset} }

type sum struct {
	Sum
	signal   SignalIndex
	position int
	window   Window
	changed  bool
}

// SetSum sets one of the sums of a signal, by its position in the signal. The slice is kept.
func (f *Facts) SetSum(s SignalIndex, position int, v Sum) {
	if have := f.sum(s, position); have != nil {
		have.Sum = v
		return
	}
	f.sums = append(f.sums, &sum{signal: s, position: position, window: f.registry.Signals[s].Sums[position], Sum: v})
}

// SumChange is a sum that has changed.
type SumChange struct {
	Sum
	Signal   SignalIndex
	Position int
}

// SumChanges returns the sums that occurrences or the passing of time have changed.
func (f *Facts) SumChanges() []SumChange {
	var changes []SumChange
	for _, s := range f.sums {
		if s.changed {
			changes = append(changes, SumChange{s.Sum, s.signal, s.position})
		}
	}
	return changes
}

func (f *Facts) sum(s SignalIndex, position int) *sum {
	for _, have := range f.sums {
		if have.signal == s && have.position == position {
			return have
		}
	}
	return nil
}

// sumOf returns a sum, or nil if it is not loaded.
func (f *Facts) sumOf(s SignalIndex, position int) *sum {
	if have := f.sum(s, position); have != nil {
		return have
	}
	if f.complete {
		f.SetSum(s, position, NoSum())
		return f.sum(s, position)
	}
	f.need(Need{Signal: s, Kind: NeedSum, Position: position})
	return nil
}

// sumIn returns the sum of a signal over a window as of now, or nil if it is not loaded.
func (f *Facts) sumIn(signal SignalIndex, w Window) *sum {
	s := f.sumOf(signal, slices.Index(f.registry.Signals[signal].Sums, w))
	if s != nil && !s.slide(f.now) {
		f.need(Need{Signal: signal, Kind: NeedSum, Position: s.position})
		return nil
	}
	return s
}

// addSums adds an occurrence to the sums of its signal. It records a need for each sum that is not
// loaded.
func (f *Facts) addSums(row *Signal, o Occurrence) {
	for position := range row.Sums {
		s := f.sumOf(o.Signal, position)
		if s == nil || o.At <= s.Cutoff {
			continue // or it is so late that it has left the window already
		}
		summand := Summand{o.At, Decimal(o.Value.Number)}
		s.changed = true
		s.Total, s.Count = new(big.Rat).Add(s.Total, summand.Number), s.Count+1
		i, _ := slices.BinarySearchFunc(s.Oldest, o.At+1, func(x Summand, at Instant) int { return order(x.At, at) })
		if i == len(s.Oldest) && s.More {
			continue // it comes after those that are not loaded
		}
		s.Oldest = slices.Insert(slices.Clip(s.Oldest), i, summand)
	}
}

// slide subtracts what has left the window. It reports whether enough was loaded for that.
func (s *sum) slide(now Instant) bool {
	for len(s.Oldest) > 0 && s.window.end(s.Oldest[0].At) <= now {
		s.Total, s.Count = new(big.Rat).Sub(s.Total, s.Oldest[0].Number), s.Count-1
		s.Cutoff, s.Oldest, s.changed = s.Oldest[0].At, s.Oldest[1:], true
	}
	return len(s.Oldest) > 0 || !s.More
}

// Sum holds while the sum of a signal's field over a window compares with v.
func (f *Facts) Sum(signal SignalIndex, w Window, c Compare, v float64) Verdict {
	return f.quantity(signal, w, func(total *big.Rat, _ int) bool { return c.holds(total.Cmp(Decimal(v))) })
}

// Average holds while the average of a signal's field over a window compares with v. Without
// occurrences it fails.
func (f *Facts) Average(signal SignalIndex, w Window, c Compare, v float64) Verdict {
	return f.quantity(signal, w, func(total *big.Rat, n int) bool {
		limit := new(big.Rat).Mul(Decimal(v), new(big.Rat).SetInt64(int64(n)))
		return n > 0 && c.holds(total.Cmp(limit))
	})
}

// quantity answers a question about a sum. The horizon is the instant at which an occurrence that
// leaves the window changes the answer. If no loaded occurrence does, it is the instant at which
// the last of them leaves.
func (f *Facts) quantity(signal SignalIndex, w Window, holds func(total *big.Rat, n int) bool) Verdict {
	s := f.sumIn(signal, w)
	if s == nil {
		return Verdict{false, Never}
	}
	now := holds(s.Total, s.Count)
	if w == Ever {
		return fixed(now)
	}
	total, n := new(big.Rat).Set(s.Total), s.Count
	for i, o := range s.Oldest {
		total.Sub(total, o.Number)
		n--
		end := w.end(o.At)
		if i+1 < len(s.Oldest) && w.end(s.Oldest[i+1].At) == end {
			continue // they leave together
		}
		if holds(total, n) != now || i+1 == len(s.Oldest) && s.More {
			return Verdict{now, end}
		}
	}
	return Verdict{now, Never}
}

// FirstWithin holds while the first occurrence of a signal ever is in a window. Once it has left,
// no other can be the first.
func (f *Facts) FirstWithin(s SignalIndex, w Window) Verdict {
	total := f.totalOf(s)
	if total.Count == 0 {
		return Verdict{false, Never}
	}
	if end := w.end(total.First); end > f.now {
		return Verdict{true, end}
	}
	return Verdict{false, Never}
}

// Only holds while a signal occurred within a window and another did not. The other occurs only
// where the first, or one like it, does. The greatest of some numbers is compared that way: some
// are there, and none is greater.
func (f *Facts) Only(s, other SignalIndex, w Window) Verdict {
	if w.Until > 0 {
		a, known := f.around(s, w)
		b, alsoKnown := f.around(other, w)
		if !known || !alsoKnown {
			return Verdict{false, Never}
		}
		return f.moving(func(now Instant) bool { return a.atLeast(1, now) && !b.atLeast(1, now) }, a, b)
	}
	some, none := f.AtLeast(s, 1, w), f.AtLeast(other, 1, w)
	switch {
	case !some.True:
		return Verdict{false, Never}
	case !none.True:
		return Verdict{true, some.Until}
	case none.Until < some.Until:
		return Verdict{false, none.Until}
	default: // the other outlasts it
		return Verdict{false, Never}
	}
}
