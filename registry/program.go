package registry

import (
	"math"
	"time"
)

// program is a criteria in the order in which it is answered: gates first, which cost next to nothing, then whatever else
// only asks about properties, then the rest. If one of the first two fails for good, no fact is asked for.
type program struct {
	matches, matchesEnd   int32 // in flat.matches
	ranges, rangesEnd     int32 // in flat.ranges
	counts, countsEnd     int32 // in flat.counts
	nodes, asks, nodesEnd int32 // in flat.nodes; from asks on they ask for facts
	generated             bool  // there is a function, which answers what is not shut
}

// The gates of a program are conditions on properties that no clock changes, in two forms that are answered without a
// choice among operations, which processors cannot foresee.
type (
	// match is the condition that a property has the value of a key, or that it has not.
	match struct {
		property Property
		key      int32
		unlike   bool
	}
	// within is the condition that a property is a number from least to most, or that it is not.
	within struct {
		property    Property
		outside     int32 // 1, or 0
		least, most float64
	}
)

// count is the condition that a signal occurred so often within a span, or ever if that is 0.
type count struct {
	signal  Signal
	atLeast int32
	span    time.Duration
}

// compile appends a program. Only what is combined by All at the top has gates: the rest is one condition.
func (x *flat) compile(p *program, nodes []Node) {
	p.matches, p.ranges = int32(len(x.matches)), int32(len(x.ranges))
	p.counts, p.nodes = int32(len(x.counts)), int32(len(x.nodes))
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
			case x.addGate(n, negated):
			case n.Op == OpSample || n.Op.IsProperty():
				x.nodes = append(x.nodes, int32(i))
			case n.Op == OpAtLeast && !negated && n.Window == Within(n.Window.Span):
				x.counts = append(x.counts, count{n.Signal, int32(n.Count), n.Window.Span})
			default:
				asks = append(asks, int32(i))
			}
		}
	}
	p.asks = int32(len(x.nodes))
	x.nodes = append(x.nodes, asks...)
	p.matchesEnd, p.rangesEnd = int32(len(x.matches)), int32(len(x.ranges))
	p.countsEnd, p.nodesEnd = int32(len(x.counts)), int32(len(x.nodes))
}

// addGate appends a condition as a gate, if it can be written as one.
func (x *flat) addGate(n *Node, negated bool) bool {
	in := within{property: n.Property, least: math.Inf(-1), most: math.Inf(1)}
	if negated {
		in.outside = 1
	}
	switch n.Op {
	case OpMoreThan:
		in.least = math.Nextafter(n.Value.Number, math.Inf(1))
	case OpNotLess:
		in.least = n.Value.Number
	case OpLessThan:
		in.most = math.Nextafter(n.Value.Number, math.Inf(-1))
	case OpNotMore:
		in.most = n.Value.Number
	case OpBetween:
		in.least, in.most = n.With.Numbers[0], n.With.Numbers[1]
	case OpIs:
		if k := n.Value.Kind; k == Missing || k == Composite || k == List {
			return false // nothing equals it
		}
		x.matches = append(x.matches, match{n.Property, x.keys[n.Property].add(n.Value), negated})
		return true
	default:
		return false
	}
	x.ranges = append(x.ranges, in)
	return true
}

// open reports whether the gates of a program let a user through.
func (x *flat) open(p *program, f *Facts) bool {
	for i := p.matches; i < p.matchesEnd; i++ {
		if m := &x.matches[i]; (f.keys[m.property] == m.key) == m.unlike {
			return false
		}
	}
	through := int32(1)
	for i := p.ranges; i < p.rangesEnd; i++ {
		in := &x.ranges[i]
		through &= in.holds(f.numbers[in.property])
	}
	return through == 1
}

// holds is 1 or 0, and no branch: whether a number lies in a range is as good as random. What is no number, is NaN.
func (w *within) holds(v float64) int32 {
	var above, below int32
	if v >= w.least {
		above = 1
	}
	if v <= w.most {
		below = 1
	}
	return above&below ^ w.outside
}

// run answers a criteria by its program.
func (x *flat) run(p *program, b *Bucket, f *Facts) Verdict {
	if !x.open(p, f) {
		return closed
	}
	all := Verdict{true, Never}
	for _, n := range x.nodes[p.nodes:p.asks] {
		v := f.evaluate(b.Criteria[n:])
		if v == closed {
			return closed
		}
		all = all.and(v)
	}
	for i := p.counts; i < p.countsEnd; i++ {
		c := &x.counts[i]
		all = all.and(f.AtLeast(c.signal, int(c.atLeast), Within(c.span)))
	}
	for _, n := range x.nodes[p.asks:p.nodesEnd] {
		all = all.and(f.evaluate(b.Criteria[n:]))
	}
	return all
}

// shuts reports whether a program keeps the criteria from holding by properties alone.
func (x *flat) shuts(p *program, b *Bucket, f *Facts) bool {
	if !x.open(p, f) {
		return true
	}
	for _, n := range x.nodes[p.nodes:p.asks] {
		if f.evaluate(b.Criteria[n:]) == closed {
			return true
		}
	}
	return false
}
