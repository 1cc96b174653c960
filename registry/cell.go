package registry

// cells are postings by keys: the buckets that one key of a guard opens are a cell.
type cells struct {
	always  []Index
	single  []cell // of guards of which few keys have one: each is asked whether it is the one
	rows    []row  // of other guards
	spans   []span // of the cells of dense rows, by key
	buckets []Index
}

type cell struct {
	span
	guard Property
	key   int32
}

// span is where the buckets of a cell are. That of a key without a cell is empty.
type span struct{ begin, end int32 }

// row is the cells of one guard. Where few of its keys have one, they are in a map, since there may be many keys.
type row struct {
	guard  Property
	first  int32 // the place of key 0 in spans
	sparse map[int32]span
}

const (
	fewCells = 16 // of a guard are asked one after the other
	roomy    = 8  // places for each cell of a dense row at most
)

func (x *flat) cells(table []Postings) []cells {
	all := make([]cells, len(table))
	for i := range table {
		c := &all[i]
		c.always = table[i].Always
		for n := range table[i].Guarded {
			c.add(&table[i].Guarded[n], &x.keys[table[i].Guarded[n].Property])
		}
	}
	return all
}

func (c *cells) add(g *Guarded, k *keys) {
	in := row{guard: g.Property, first: int32(len(c.spans))}
	dense := len(g.Values) > 2 && int(k.count) <= roomy*len(g.Values)
	few := len(g.Values) <= fewCells && !dense
	switch {
	case few:
	case dense:
		c.spans = append(c.spans, make([]span, k.count+1)...)
	default:
		in.sparse = make(map[int32]span, len(g.Values))
	}
	for i := range g.Values {
		key, begin := k.of(&g.Values[i].Value), int32(len(c.buckets))
		c.buckets = append(c.buckets, g.Values[i].Buckets...)
		where := span{begin, int32(len(c.buckets))}
		switch {
		case few:
			c.single = append(c.single, cell{where, g.Property, key})
		case in.sparse != nil:
			in.sparse[key] = where
		default:
			c.spans[in.first+key] = where
		}
	}
	if !few {
		c.rows = append(c.rows, in)
	}
}

// collect adds the buckets that the properties of a user open.
func (c *cells) collect(s *sieve, f *Facts) {
	s.add(c.always)
	keys := f.keys
	for i := range c.single {
		if in := &c.single[i]; keys[in.guard] == in.key {
			s.add(c.buckets[in.begin:in.end])
		}
	}
	for i := range c.rows {
		in := &c.rows[i]
		key := keys[in.guard]
		var where span
		if in.sparse != nil {
			where = in.sparse[key]
		} else {
			where = c.spans[in.first+key]
		}
		if where.begin < where.end {
			s.add(c.buckets[where.begin:where.end])
		}
	}
}
