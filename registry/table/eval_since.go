package table

// HoldsSince returns the instant since which the criteria of a dynamic bucket, which hold now, have
// held without a break. It returns Never where the facts of the user do not contain that instant.
func (r *Registry) HoldsSince(b BucketIndex, f *Facts, now Instant) Instant {
	f.now = now
	return f.since(r.Buckets[b].Criteria, true)
}

// since returns the instant since which nodes have had their present answer, or Never if that is
// not known.
func (f *Facts) since(nodes []Node, answer bool) Instant {
	n := &nodes[0]
	switch {
	case (n.Op == OpAll || n.Op == OpAny) && n.Size == 1: // constant, so there is no such instant
		return Never
	case n.Op == OpNot:
		return f.since(nodes[1:], !answer)
	case n.Op == OpAll && answer, n.Op == OpAny && !answer: // since the last of them changed
		at := Unset
		for i := 1; i < n.Size; i += nodes[i].Size {
			at = max(at, f.since(nodes[i:], answer))
		}
		return at
	case n.Op == OpAll, n.Op == OpAny: // since the first of them changed, if each instant is known
		first, unknown := Never, false
		for i := 1; i < n.Size; i += nodes[i].Size {
			if f.evaluate(nodes[i:]).True == answer {
				at := f.since(nodes[i:], answer)
				first, unknown = min(first, at), unknown || at == Never
			}
		}
		if unknown {
			return Never
		}
		return first
	default:
		return f.conditionSince(n, answer)
	}
}

// conditionSince knows two conditions. An event that ever happened began when it first did. An
// absence for some time began when the newest occurrence was that old.
func (f *Facts) conditionSince(n *Node, answer bool) Instant {
	whether := n.Op == OpAtLeast && n.Count == 1
	whetherNot := (n.Op == OpAtMost || n.Op == OpExactly) && n.Count == 0
	occurred := whether && answer || whetherNot && !answer
	silent := (whether || whetherNot) && !occurred && n.Window.Span > 0 && n.Window.Until == 0
	switch {
	case occurred && n.Window == Ever && f.registry.Signals[n.Signal].Distinct == DistinctNone:
		if total := f.totalOf(n.Signal); total.Count > 0 {
			return total.First
		}
	case silent:
		if newest := f.newest(n.Signal); len(newest) > 0 {
			return n.Window.end(newest[0].At)
		}
	}
	return Never
}
