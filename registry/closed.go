package registry

// Closed reports whether the properties of the user alone keep the criteria of a dynamic bucket from holding, now and
// until they change. Then nothing else needs to be known.
func (r *Registry) Closed(b Index, f *Facts) bool {
	nodes := r.Buckets[b].Criteria
	if len(nodes) == 0 || nodes[0].Op != OpAll {
		return false
	}
	for i := 1; i < nodes[0].Size; i += nodes[i].Size {
		asked := nodes[i].Op
		if asked == OpNot {
			asked = nodes[i+1].Op
		}
		if (asked == OpSample || asked.IsProperty()) && f.evaluate(nodes[i:]) == closed {
			return true
		}
	}
	return false
}

// closed is the verdict of what does not hold, and will not as time passes. It is that of whatever needs it to hold, too.
var closed = Verdict{false, Never}
