package plan

import (
	"cmp"
	"slices"

	"github.com/bucketgen/bucketgen/registry/table"
)

// index files every dynamic bucket under each event and property that its criteria asks about.
func index(r *table.Registry) {
	r.ByEvent = make([]table.Postings, len(r.Events))
	r.ByProperty = make([]table.Postings, len(r.Properties))
	guards := chooseGuards(r)
	for i := range r.Buckets {
		b := table.BucketIndex(i)
		for _, e := range r.Buckets[i].Events {
			file(&r.ByEvent[e], b, guards[i])
		}
		for _, p := range r.Buckets[i].Properties {
			file(&r.ByProperty[p], b, guards[i])
		}
	}
	for _, all := range [][]table.Postings{r.ByEvent, r.ByProperty} {
		for _, postings := range all {
			slices.SortFunc(postings.Guarded, func(a, b table.Guarded) int { return cmp.Compare(a.Property, b.Property) })
			for _, g := range postings.Guarded {
				slices.SortFunc(g.Values, func(a, b table.Posting) int { return a.Value.Compare(b.Value) })
			}
		}
	}
}

// guard is a property that must have one of some values whenever a criteria holds.
type guard struct {
	property table.PropertyIndex
	values   []table.Value
}

// mostValues is how many values a guard may have: the bucket is filed under each.
const mostValues = 8

func file(p *table.Postings, b table.BucketIndex, g *guard) {
	if g == nil {
		p.Always = append(p.Always, b)
		return
	}
	i := slices.IndexFunc(p.Guarded, func(in table.Guarded) bool { return in.Property == g.property })
	if i < 0 {
		i = len(p.Guarded)
		p.Guarded = append(p.Guarded, table.Guarded{Property: g.property})
	}
	in := &p.Guarded[i]
	for _, value := range g.values {
		n := slices.IndexFunc(in.Values, func(p table.Posting) bool { return p.Value.Equal(value) })
		if n < 0 {
			n = len(in.Values)
			in.Values = append(in.Values, table.Posting{Value: value})
		}
		in.Values[n].Buckets = append(in.Values[n].Buckets, b)
	}
}

// chooseGuards picks, of the equalities that a criteria needs, the one that the fewest buckets
// need: it opens the fewest buckets in vain. Among equally rare ones it takes the first.
func chooseGuards(r *table.Registry) []*guard {
	type equality struct {
		property table.PropertyIndex
		value    table.Value
	}
	needs := make([][]guard, len(r.Buckets))
	users := map[equality]int{}
	for i := range r.Buckets {
		if len(r.Buckets[i].Criteria) == 0 {
			continue
		}
		needs[i] = equalities(nil, r.Buckets[i].Criteria)
		for _, g := range needs[i] {
			for _, value := range g.values {
				users[equality{g.property, value}]++
			}
		}
	}
	cost := func(g *guard) int {
		sum := 0
		for _, value := range g.values {
			sum += users[equality{g.property, value}]
		}
		return sum
	}
	chosen := make([]*guard, len(r.Buckets))
	for i, candidates := range needs {
		for n := range candidates {
			if g := &candidates[n]; chosen[i] == nil || cost(g) < cost(chosen[i]) {
				chosen[i] = g
			}
		}
	}
	return chosen
}

// equalities appends the equalities without which the criteria cannot hold.
func equalities(dst []guard, nodes []table.Node) []guard {
	n := nodes[0]
	if n.Op == table.OpAll {
		for i := 1; i < n.Size; i += nodes[i].Size {
			dst = equalities(dst, nodes[i:])
		}
		return dst
	}
	if values := opening(&n); len(values) > 0 && len(values) <= mostValues {
		dst = append(dst, guard{n.Property, values})
	}
	return dst
}

// opening returns the values of the property for which the condition can hold, or nothing if others
// are possible.
func opening(n *table.Node) []table.Value {
	var values []table.Value
	switch n.Op {
	case table.OpIs, table.OpHasBeen:
		if n.Value.Kind != table.Composite {
			values = append(values, n.Value)
		}
	case table.OpChanged:
		if to := n.With.To; to.Exists() && to.Kind != table.Composite {
			values = append(values, to)
		}
	case table.OpIn:
		for _, text := range n.With.Texts {
			values = append(values, table.Value{Kind: table.Text, Text: text})
		}
	case table.OpInNumbers:
		for _, number := range n.With.Numbers {
			values = append(values, table.Value{Kind: table.Number, Number: number})
		}
	}
	return values
}
