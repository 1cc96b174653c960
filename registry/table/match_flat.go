package table

import "time"

// flat is the form of a registry that is searched for every event. It holds the tables as slices of
// small integers, which a search reads in order. A process derives it from the tables once, on
// first use, so that generated code does not contain it.
type flat struct {
	dictionaries []dictionary // by Property
	guards       []guard
	guardOf      []int32 // by Property: its position in guards, or -1
	partitions   []partition
	lists        []postingList
	entries      []entry
	closers      []PropertyIndex // by BucketIndex: its change may close the guard; len(Properties): none

	compiled []compiled // by BucketIndex
	rests    []rest     // the first is empty
	spans    []time.Duration
}

// flat returns the flat form of the registry.
func (r *Registry) flat() *flat {
	if x := r.derived.Load(); x != nil {
		return x
	}
	r.derived.CompareAndSwap(nil, flatten(r))
	return r.derived.Load()
}

func flatten(r *Registry) *flat {
	x := &flat{rests: make([]rest, 1)}
	x.number(r)
	for i := range r.Buckets {
		x.compile(r, &r.Buckets[i])
	}
	x.file(r)
	return x
}

// number assigns codes to the values of guards and conditions.
func (x *flat) number(r *Registry) {
	x.dictionaries = make([]dictionary, len(r.Properties))
	for _, p := range r.postings() {
		for i := range p.Guarded {
			g := &p.Guarded[i]
			for k := range g.Values {
				x.dictionaries[g.Property].add(&g.Values[k].Value)
			}
		}
	}
	for i := range r.Buckets {
		nodes := r.Buckets[i].Criteria
		for position, negated := range conditions(nodes) {
			n := condition(nodes, position, negated)
			for _, v := range n.operands() {
				x.dictionaries[n.Property].add(&v)
			}
		}
	}
	for p := range x.dictionaries {
		x.dictionaries[p].build()
	}
}

// root returns the property that contains a property, or the property itself.
func (r *Registry) root(p PropertyIndex) PropertyIndex {
	for len(r.Properties[p].Path) > 0 {
		p--
	}
	return p
}
