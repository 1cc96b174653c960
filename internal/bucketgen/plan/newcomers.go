package plan

import (
	"slices"

	"github.com/bucketgen/bucketgen/registry"
)

// newcomers finds the buckets that a user of whom nothing is known may be in.
func newcomers(r *registry.Registry) {
	anybody := &registry.Registry{Buckets: slices.Clone(r.Buckets), Properties: r.Properties, Signals: r.Signals, Fields: r.Fields, Sequences: r.Sequences}
	for i := range anybody.Buckets {
		if b := &anybody.Buckets[i]; b.Kind != registry.Manual {
			b.Criteria = chosen(b.Criteria)
		}
	}
	nothing := anybody.NewFacts("").Complete()
	for i := range anybody.Buckets {
		if anybody.Buckets[i].Kind == registry.Manual {
			continue
		}
		if v, _ := anybody.Evaluate(registry.Index(i), nothing, 0); v.True || v.Until != registry.Never {
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
