package plan

import (
	"slices"

	"github.com/bucketgen/bucketgen/registry/table"
)

// newcomers finds the buckets that a user without any facts may be in.
func newcomers(r *table.Registry) {
	optimistic := &table.Registry{Buckets: slices.Clone(r.Buckets), Properties: r.Properties, Signals: r.Signals, Fields: r.Fields, Sequences: r.Sequences}
	for i := range optimistic.Buckets {
		if b := &optimistic.Buckets[i]; b.Kind != table.Manual {
			b.Criteria = chosen(b.Criteria)
		}
	}
	nothing := optimistic.NewFacts("").Complete()
	for i := range optimistic.Buckets {
		if optimistic.Buckets[i].Kind == table.Manual {
			continue
		}
		if v, _ := optimistic.Evaluate(table.BucketIndex(i), nothing, 0); v.True || v.Until != table.Never {
			r.Newcomers = append(r.Newcomers, table.BucketIndex(i))
		}
	}
}

// chosen returns a criteria as it is for a user whom all samples favour: they hold or, below a Not,
// do not. If it does not hold then, it holds for no user without facts.
func chosen(nodes []table.Node) []table.Node {
	favourable := make([]table.Node, len(nodes))
	copy(favourable, nodes)
	var walk func(i int, negated bool)
	walk = func(i int, negated bool) {
		n := &favourable[i]
		switch {
		case n.Op == table.OpSample:
			*n = table.Node{Op: table.OpAll, Size: 1} // an empty All holds
			if negated {
				n.Op = table.OpAny
			}
		case n.Op.Combines():
			for child := i + 1; child < i+n.Size; child += nodes[child].Size {
				walk(child, negated != (n.Op == table.OpNot))
			}
		}
	}
	walk(0, false)
	return favourable
}
