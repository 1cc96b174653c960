package table

import (
	"cmp"
	"slices"
)

// Verdict is the result of a criteria at an instant: whether it holds, and its horizon, the
// earliest later instant at which the passing of time alone could change that.
//
// The horizon of a single condition is exact. The horizon of a combination is a lower bound: at
// that instant one of its conditions changes, the combination perhaps not. It is never too late.
// Without a horizon, Until is [Never].
type Verdict struct {
	True  bool
	Until Instant
}

// All combines the verdicts of conditions that must all hold. While it is false it needs every
// false one to change, so it waits for the last of those.
//
// Generated functions call it, [Any] and [Facts.Is] thousands of times. Inlined, those functions
// would take ten times as long to compile, and run slower.
//
//go:noinline
func All(verdicts ...Verdict) Verdict {
	all := Verdict{true, Never}
	for _, v := range verdicts {
		all = all.and(v)
	}
	return all
}

// Any combines the verdicts of conditions of which one must hold. While it is true it needs every
// true one to change.
//
//go:noinline
func Any(verdicts ...Verdict) Verdict {
	some := Verdict{false, Never}
	for _, v := range verdicts {
		some = some.or(v)
	}
	return some
}

func (v Verdict) and(w Verdict) Verdict {
	switch {
	case v.True && w.True:
		return Verdict{true, min(v.Until, w.Until)}
	case v.True:
		return w
	case w.True:
		return v
	default:
		return Verdict{false, max(v.Until, w.Until)}
	}
}

func (v Verdict) or(w Verdict) Verdict {
	switch {
	case v.True && w.True:
		return Verdict{true, max(v.Until, w.Until)}
	case v.True:
		return v
	case w.True:
		return w
	default:
		return Verdict{false, min(v.Until, w.Until)}
	}
}

// AtLeastOf combines the verdicts of conditions of which n must hold. While it is true, it ends at
// the earliest when enough of the true ones have changed that fewer than n are left. While it is
// false, it waits until as many of the false ones have changed as it lacks.
func AtLeastOf(n int, verdicts ...Verdict) Verdict {
	var horizons [2][]Instant // of those that fail, of those that hold
	for _, v := range verdicts {
		side := &horizons[0]
		if v.True {
			side = &horizons[1]
		}
		*side = append(*side, v.Until)
	}
	lacking, spare := n-len(horizons[1]), len(horizons[1])-n
	if lacking <= 0 {
		slices.Sort(horizons[1])
		return Verdict{true, horizons[1][spare]}
	}
	if lacking > len(horizons[0]) {
		return Verdict{false, Never}
	}
	slices.Sort(horizons[0])
	return Verdict{false, horizons[0][lacking-1]}
}

// Not negates a verdict. The horizon stays the same.
func Not(v Verdict) Verdict {
	return Verdict{!v.True, v.Until}
}

func order[T cmp.Ordered](a, b T) int { return cmp.Compare(a, b) }
