package registry

import "iter"

// A criteria is answered in this order: gates first, which cost next to nothing, then whatever else only asks about
// properties, then the rest. If one of the first two fails for good, no fact is asked for.

// program is what the criteria of a bucket says, as large as what is read from memory at once. The first gates stand in it;
// what else it says begins at these places and ends where that of the next program begins.
type program struct {
	gates     [3]gate
	more      int32 // in flat.gates
	matches   int32 // in flat.matches
	counts    int32 // in flat.counts
	nodes     int32 // in flat.nodes
	asks      int32 // the first of the nodes that asks for facts
	generated bool  // there is a function, which answers what is not shut
	plain     bool  // the first gates say it all
	_         [6]byte
}

// conditions goes through what a criteria combines by All at the top, or its one condition: by its place, and whether it is
// negated.
func conditions(nodes []Node) iter.Seq2[int, bool] {
	return func(yield func(int, bool) bool) {
		begin := 0
		if len(nodes) > 0 && nodes[0].Op == OpAll {
			begin = 1
		}
		for i := begin; i < len(nodes) && yield(i, nodes[i].Op == OpNot); i += nodes[i].Size {
		}
	}
}

// condition returns the condition at a place, or the one that is negated there.
func condition(nodes []Node, place int, negated bool) *Node {
	if negated {
		place++
	}
	return &nodes[place]
}

// compile appends the program of a criteria.
func (x *flat) compile(r *Registry, nodes []Node) *program {
	p := program{
		gates: [3]gate{anything, anything, anything}, more: int32(len(x.gates)), matches: int32(len(x.matches)),
		counts: int32(len(x.counts)), nodes: int32(len(x.nodes)),
	}
	var gates []gate
	var asks []int32
	for i, negated := range conditions(nodes) {
		n := condition(nodes, i, negated)
		if g, isOne := x.gateOf(n, negated); isOne {
			gates = append(gates, g)
		} else if m, isOne := x.matchOf(r, n, negated); isOne {
			x.matches = append(x.matches, m)
		} else if n.Op == OpSample || n.Op.IsProperty() {
			x.nodes = append(x.nodes, int32(i))
		} else if c, isOne := countOf(r, n); isOne && !negated {
			x.counts = append(x.counts, c)
		} else {
			asks = append(asks, int32(i))
		}
	}
	x.sortGates(gates)
	x.gates = append(x.gates, gates[copy(p.gates[:], gates):]...)
	p.asks = int32(len(x.nodes))
	x.nodes = append(x.nodes, asks...)
	p.plain = len(x.gates) == int(p.more) && len(x.matches) == int(p.matches) && len(x.counts) == int(p.counts) && len(x.nodes) == int(p.nodes)
	x.programs = append(x.programs, p)
	return &x.programs[len(x.programs)-1]
}

// open answers 1 if the gates of a bucket let a user through, and else 0.
func (x *flat) open(b Index, keys []int32) uint32 {
	p := &x.programs[b]
	all := p.gates[0].holds(keys) & p.gates[1].holds(keys) & p.gates[2].holds(keys)
	if p.plain {
		return all
	}
	next := &x.programs[b+1]
	for i := p.more; i < next.more; i++ {
		all &= x.gates[i].holds(keys)
	}
	for i := p.matches; i < next.matches; i++ {
		all &= x.matches[i].holds(keys)
	}
	return all
}

// run answers the criteria of a bucket.
func (x *flat) run(b Index, row *Bucket, f *Facts) Verdict {
	all, p := x.properties(b, row, f), &x.programs[b]
	switch {
	case p.plain || all == closed:
		return all
	case p.generated:
		return row.CriteriaFunc(f)
	}
	next := &x.programs[b+1]
	for i := p.counts; i < next.counts; i++ {
		all = all.and(x.counts[i].of(f))
	}
	for _, n := range x.nodes[p.asks:next.nodes] {
		all = all.and(f.evaluate(row.Criteria[n:]))
	}
	return all
}

// properties answers what only asks about properties, as far as it takes to see that it is closed.
func (x *flat) properties(b Index, row *Bucket, f *Facts) Verdict {
	if x.open(b, f.keys) == 0 {
		return closed
	}
	all := Verdict{true, Never}
	p := &x.programs[b]
	for _, n := range x.nodes[p.nodes:p.asks] {
		v := f.evaluate(row.Criteria[n:])
		if v == closed {
			return closed
		}
		all = all.and(v)
	}
	return all
}
