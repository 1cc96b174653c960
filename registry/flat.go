package registry

import "slices"

// flat is what a registry says, in the form in which it is looked through for every event: small integers side by side. It
// is made from the tables once per process, when it is first asked for, so generated code need not say it.
type flat struct {
	keys       []keys // by Property
	byEvent    []cells
	byProperty []cells
	guards     []Property // by Index: the property whose change may close the guard, or noGuard
	doors      []door     // by Index, and one more
	programs   []program  // by Index, and one more
	matches    []match    // of all programs
	ranges     []within   // of all programs
	counts     []count    // of all programs
	nodes      []int32    // of all programs: places in the criteria of their buckets
}

const noGuard Property = -1

// flat returns the flat form of the registry.
func (r *Registry) flat() *flat {
	if x := r.derived.Load(); x != nil {
		return x
	}
	r.derived.CompareAndSwap(nil, flatten(r))
	return r.derived.Load()
}

func flatten(r *Registry) *flat {
	x := &flat{keys: make([]keys, len(r.Properties)), guards: make([]Property, len(r.Buckets))}
	for i := range x.guards {
		x.guards[i] = noGuard
	}
	for _, table := range [][]Postings{r.ByEvent, r.ByProperty} {
		for i := range table {
			x.addKeys(&table[i])
		}
	}
	for i := range r.Buckets {
		x.compile(r, r.Buckets[i].Criteria, x.guards[i])
		x.programs[i].generated = r.Buckets[i].CriteriaFunc != nil
	}
	x.compile(r, nil, noGuard) // where the last ones end
	for i, g := range x.guards {
		x.guards[i] = r.root(g)
	}
	x.byEvent, x.byProperty = x.cells(r.ByEvent), x.cells(r.ByProperty)
	return x
}

// addKeys gives keys to the values that open guards, and notes whose guards they are.
func (x *flat) addKeys(p *Postings) {
	for i := range p.Guarded {
		g := &p.Guarded[i]
		for k := range g.Values {
			x.keys[g.Property].add(g.Values[k].Value)
			for _, b := range g.Values[k].Buckets {
				x.guards[b] = g.Property
			}
		}
	}
}

// root returns the property that a property lies inside of, or itself.
func (r *Registry) root(p Property) Property {
	for p != noGuard && len(r.Properties[p].Path) > 0 {
		p--
	}
	return p
}

// keys are the values of a property that criteria compare it with, as small integers from 1 on. Any other value has the key
// 0.
type keys struct {
	texts  map[string]int32
	others []keyed // sorted
	values []Value // by key, from 1 on
	count  int32
}

type keyed struct {
	value Value
	key   int32
}

// add returns the key of a value, which it gets if it has none.
func (k *keys) add(v Value) int32 {
	if key := k.of(&v); key > 0 {
		return key
	}
	k.count++
	k.values = append(k.values, v)
	if v.Kind == Text {
		if k.texts == nil {
			k.texts = map[string]int32{}
		}
		k.texts[v.Text] = k.count
		return k.count
	}
	i, _ := k.other(&v)
	k.others = slices.Insert(k.others, i, keyed{v, k.count})
	return k.count
}

// of returns the key of a value.
func (k *keys) of(v *Value) int32 {
	switch v.Kind {
	case Text:
		return k.texts[v.Text]
	case Bool, Number, Time:
		if i, found := k.other(v); found {
			return k.others[i].key
		}
	case Missing, Composite, List:
	}
	return 0
}

func (k *keys) other(v *Value) (int, bool) {
	return slices.BinarySearchFunc(k.others, v, func(k keyed, v *Value) int { return k.value.Compare(*v) })
}
