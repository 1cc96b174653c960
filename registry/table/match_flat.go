package table

import "time"

// flat is what a registry says, in the form in which it is looked through for every event: small integers side by side. It
// is made from the tables once per process, when it is first asked for, so generated code need not say it.
type flat struct {
	dictionaries []dictionary // by Property
	guards       []guard
	guardOf      []int32 // by Property: its place among guards, or -1
	partitions   []partition
	lists        []postingList
	entries      []entry
	closers      []PropertyIndex // by Index: the property whose change may close the guard, or one beyond all

	compiled []compiled // by Index
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

// number gives keys to the values that open guards and gates.
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
		for place, negated := range conditions(nodes) {
			n := condition(nodes, place, negated)
			for _, v := range n.operands() {
				x.dictionaries[n.Property].add(&v)
			}
		}
	}
	for p := range x.dictionaries {
		x.dictionaries[p].build()
	}
}

// root returns the property that a property lies inside of, or itself.
func (r *Registry) root(p PropertyIndex) PropertyIndex {
	for len(r.Properties[p].Path) > 0 {
		p--
	}
	return p
}
