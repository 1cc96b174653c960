package plan

import (
	"cmp"
	"slices"

	"github.com/bucketgen/bucketgen/registry"
)

// index files every dynamic bucket under each event and property that its criteria asks about.
func index(r *registry.Registry) {
	r.ByEvent = make([]registry.Postings, len(r.Events))
	r.ByProperty = make([]registry.Postings, len(r.Properties))
	guards := chooseGuards(r)
	for i := range r.Buckets {
		b := registry.Index(i)
		for _, e := range r.Buckets[i].Events {
			file(&r.ByEvent[e], b, guards[i])
		}
		for _, p := range r.Buckets[i].Properties {
			file(&r.ByProperty[p], b, guards[i])
		}
	}
	for _, table := range [][]registry.Postings{r.ByEvent, r.ByProperty} {
		for _, postings := range table {
			slices.SortFunc(postings.Guarded, func(a, b registry.Guarded) int { return cmp.Compare(a.Property, b.Property) })
			for _, g := range postings.Guarded {
				slices.SortFunc(g.Values, func(a, b registry.Posting) int { return a.Value.Compare(b.Value) })
			}
		}
	}
}

// guard is an equality that must hold whenever a criteria holds.
type guard struct {
	property registry.Property
	value    registry.Value
}

func file(p *registry.Postings, b registry.Index, g *guard) {
	if g == nil {
		p.Always = append(p.Always, b)
		return
	}
	i := slices.IndexFunc(p.Guarded, func(in registry.Guarded) bool { return in.Property == g.property })
	if i < 0 {
		i = len(p.Guarded)
		p.Guarded = append(p.Guarded, registry.Guarded{Property: g.property})
	}
	in := &p.Guarded[i]
	n := slices.IndexFunc(in.Values, func(p registry.Posting) bool { return p.Value.Equal(g.value) })
	if n < 0 {
		n = len(in.Values)
		in.Values = append(in.Values, registry.Posting{Value: g.value})
	}
	in.Values[n].Buckets = append(in.Values[n].Buckets, b)
}

// chooseGuards picks, of the equalities that a criteria needs, the one that fewest buckets need: it lets the fewest
// buckets through that do not hold. Of equally rare ones it takes the first.
func chooseGuards(r *registry.Registry) []*guard {
	needs := make([][]guard, len(r.Buckets))
	users := map[guard]int{}
	for i := range r.Buckets {
		if len(r.Buckets[i].Criteria) == 0 {
			continue
		}
		needs[i] = equalities(nil, r.Buckets[i].Criteria)
		for _, g := range needs[i] {
			users[g]++
		}
	}
	chosen := make([]*guard, len(r.Buckets))
	for i, candidates := range needs {
		for n := range candidates {
			if g := &candidates[n]; chosen[i] == nil || users[*g] < users[*chosen[i]] {
				chosen[i] = g
			}
		}
	}
	return chosen
}

// equalities appends the equalities without which the criteria cannot hold.
func equalities(dst []guard, nodes []registry.Node) []guard {
	switch n := nodes[0]; {
	case n.Op == registry.OpAll:
		for i := 1; i < n.Size; i += nodes[i].Size {
			dst = equalities(dst, nodes[i:])
		}
	case n.Op == registry.OpIs && n.Value.Kind != registry.Composite:
		dst = append(dst, guard{n.Property, n.Value})
	}
	return dst
}
