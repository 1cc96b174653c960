package plan

import "github.com/bucketgen/bucketgen/registry"

// newcomers finds the buckets that a user of whom nothing is known may be in.
func newcomers(r *registry.Registry) {
	nothing := r.NewFacts("").Complete()
	for i := range r.Buckets {
		b := r.Buckets[i]
		if b.Kind == registry.Manual {
			continue
		}
		anybody := registry.Registry{Buckets: []registry.Bucket{{Criteria: chosen(b.Criteria)}}, Signals: r.Signals, Fields: r.Fields}
		if v := anybody.Evaluate(0, nothing); v.True || v.Until != registry.Never {
			r.Newcomers = append(r.Newcomers, registry.Index(i))
		}
	}
}

// chosen returns a criteria as it is for a user to whom all samples are favourable: they hold or, below a Not, do not. What
// does not hold then, holds for nobody else.
func chosen(nodes []registry.Node) []registry.Node {
	favourable := make([]registry.Node, len(nodes))
	copy(favourable, nodes)
	var walk func(i int, negated bool)
	walk = func(i int, negated bool) {
		n := &favourable[i]
		switch {
		case n.Op == registry.OpSample:
			*n = registry.Node{Op: registry.OpAll, Size: 1} // of nothing holds
			if negated {
				n.Op = registry.OpAny
			}
		case n.Op.Combines():
			for child := i + 1; child < i+n.Size; child += nodes[child].Size {
				walk(child, negated != (n.Op == registry.OpNot))
			}
		}
	}
	walk(0, false)
	return favourable
}
