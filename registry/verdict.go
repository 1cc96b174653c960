package registry

import "cmp"

// Verdict is the answer of a criteria at an instant: whether it holds, and its horizon, the earliest later instant at
// which the passing of time alone could change that.
//
// The horizon of a single condition is exact. That of a combination is a lower bound: at that instant one of its
// conditions changes, the combination perhaps not. It is never too late. Without a horizon, Until is [Never].
type Verdict struct {
	True  bool
	Until Instant
}

// All combines the verdicts of conditions that must all hold. While it is false it needs every false one to change, so
// the last of those is the one to wait for.
func All(verdicts ...Verdict) Verdict {
	holds, fails := Never, Unset
	for _, v := range verdicts {
		if v.True {
			holds = min(holds, v.Until)
		} else {
			fails = max(fails, v.Until)
		}
	}
	if fails != Unset {
		return Verdict{false, fails}
	}
	return Verdict{true, holds}
}

// Any combines the verdicts of conditions of which one must hold. While it is true it needs every true one to change.
func Any(verdicts ...Verdict) Verdict {
	holds, fails := Unset, Never
	for _, v := range verdicts {
		if v.True {
			holds = max(holds, v.Until)
		} else {
			fails = min(fails, v.Until)
		}
	}
	if holds != Unset {
		return Verdict{true, holds}
	}
	return Verdict{false, fails}
}

// Not turns a verdict around. It changes when the verdict does.
func Not(v Verdict) Verdict {
	return Verdict{!v.True, v.Until}
}

func order[T cmp.Ordered](a, b T) int { return cmp.Compare(a, b) }
