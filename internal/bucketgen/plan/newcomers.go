package plan

import (
	"slices"

	"github.com/bucketgen/bucketgen/registry/table"
)

// newcomers finds the buckets that a user of whom nothing is known may be in.
func newcomers(r *table.Registry) {
	anybody := &table.Registry{Buckets: slices.Clone(r.Buckets), Properties: r.Properties, Signals: r.Signals, Fields: r.Fields, Sequences: r.Sequences}
	for i := range anybody.Buckets {
		if b := &anybody.Buckets[i]; b.Kind != table.Manual {
			b.Criteria = chosen(b.Criteria)
		}
	}
	nothing := anybody.NewFacts("").Complete()
	for i := range anybody.Buckets {
		if anybody.Buckets[i].Kind == table.Manual {
			continue
		}
		if v, _ := anybody.Evaluate(table.BucketIndex(i), nothing, 0); v.True || v.Until != table.Never {
			r.Newcomers = append(r.Newcomers, table.BucketIndex(i))
		}
	}
}

// chosen returns a criteria as it is for a user to whom all samples are favourable: they hold or, below a Not, do not. What
// does not hold then, holds for nobody else.
func chosen(nodes []table.Node) []table.Node {
	favourable := make([]table.Node, len(nodes))
	copy(favourable, nodes)
	var walk func(i int, negated bool)
	walk = func(i int, negated bool) {
		n := &favourable[i]
		switch {
		case n.Op == table.OpSample:
			*n = table.Node{Op: table.OpAll, Size: 1} // of nothing holds
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
