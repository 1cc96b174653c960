package registry

import (
	"slices"
	"time"
)

// A criteria is answered in this order: gates first, which cost next to nothing, then whatever else only asks about
// properties, then the rest. If one of the first two fails for good, no fact is asked for.

// program is a criteria but for its gates. What it says begins at these places and ends where the next program begins.
type program struct {
	counts    int32 // in flat.counts
	nodes     int32 // in flat.nodes
	asks      int32 // the first of the nodes that asks for facts
	generated bool  // there is a function, which answers what is not shut
}

// count is the condition that a signal occurred so often within a span, or ever if that is 0.
type count struct {
	signal  Signal
	atLeast int32
	span    time.Duration
}

// compile appends the gates and the program of a criteria. Only what is combined by All at the top has gates: the rest is
// one condition.
func (x *flat) compile(r *Registry, nodes []Node, guard Property) {
	d := door{ranges: [2]within{anything, anything}, more: int32(len(x.ranges)), matches: int32(len(x.matches))}
	p := program{counts: int32(len(x.counts)), nodes: int32(len(x.nodes))}
	var asks []int32
	if len(nodes) > 0 && nodes[0].Op != OpAll {
		asks = append(asks, 0)
	} else if len(nodes) > 0 {
		for i := 1; i < nodes[0].Size; i += nodes[i].Size {
			n, negated := &nodes[i], false
			if n.Op == OpNot {
				n, negated = &nodes[i+1], true
			}
			switch {
			case x.addMatch(r, n, negated), x.addRange(&d, n, negated):
			case n.Op == OpSample || n.Op.IsProperty():
				x.nodes = append(x.nodes, int32(i))
			case n.Op == OpAtLeast && !negated && n.Window == Within(n.Window.Span):
				x.counts = append(x.counts, count{n.Signal, int32(n.Count), n.Window.Span})
			default:
				asks = append(asks, int32(i))
			}
		}
	}
	matches := x.matches[d.matches:]
	if i := slices.IndexFunc(matches, func(m match) bool { return m.property == guard && !m.unlike }); i >= 0 {
		matches[0], matches[i] = matches[i], matches[0]
		d.guarded = 1
	}
	p.asks = int32(len(x.nodes))
	x.nodes = append(x.nodes, asks...)
	x.doors, x.programs = append(x.doors, d), append(x.programs, p)
}

// run answers the criteria of a bucket.
func (x *flat) run(b Index, row *Bucket, f *Facts) Verdict {
	if !x.open(b, f) {
		return closed
	}
	all := Verdict{true, Never}
	p, next := &x.programs[b], &x.programs[b+1]
	for _, n := range x.nodes[p.nodes:p.asks] {
		v := f.evaluate(row.Criteria[n:])
		if v == closed {
			return closed
		}
		all = all.and(v)
	}
	for i := p.counts; i < next.counts; i++ {
		c := &x.counts[i]
		all = all.and(f.AtLeast(c.signal, int(c.atLeast), Within(c.span)))
	}
	for _, n := range x.nodes[p.asks:next.nodes] {
		all = all.and(f.evaluate(row.Criteria[n:]))
	}
	return all
}

// shuts reports whether properties alone keep the criteria of a bucket from holding.
func (x *flat) shuts(b Index, row *Bucket, f *Facts) bool {
	if !x.open(b, f) {
		return true
	}
	for _, n := range x.nodes[x.programs[b].nodes:x.programs[b].asks] {
		if f.evaluate(row.Criteria[n:]) == closed {
			return true
		}
	}
	return false
}
