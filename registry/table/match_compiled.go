package table

import "iter"

// A criteria is evaluated in this order: range and set tests, which cost next to nothing, then the
// other conditions on properties, then the rest. If a condition on properties is closed, no fact
// about events is read.

// compiled is the criteria of a bucket in 64 bytes, the size of a cache line, with everything that
// answers most criteria.
type compiled struct {
	ranges    [4]rangeTest // those that fail most often first
	set       setTest
	counts    [2]count // unused if atLeast is 0
	rest      int32    // position in flat.rests; 0 if there is none
	moreTests bool     // the rest has range or set tests
}

// rest is the conditions of a criteria for which compiled has no room or no form. nodes and asks
// are positions in the criteria.
type rest struct {
	ranges []rangeTest
	sets   []setTest
	counts []count
	nodes  []int32 // on properties only
	asks   []int32 // on other facts

	generated bool // a generated function evaluates the criteria if it is not closed
}

// conditions yields the conditions that a criteria combines by All at the top, or its one
// condition: the position of each, and whether it is negated.
func conditions(nodes []Node) iter.Seq2[int, bool] {
	return func(yield func(int, bool) bool) {
		begin := 0
		if len(nodes) > 0 && nodes[0].Op == OpAll {
			begin = 1
		}
		for i := begin; i < len(nodes); i += nodes[i].Size {
			if !yield(i, nodes[i].Op == OpNot) {
				return
			}
		}
	}
}

// condition returns the condition at a position, without its negation.
func condition(nodes []Node, position int, negated bool) *Node {
	if negated {
		position++
	}
	return &nodes[position]
}

// compile appends the compiled criteria of a bucket.
func (x *flat) compile(r *Registry, row *Bucket) {
	all := rest{generated: row.CriteriaFunc != nil}
	for i, negated := range conditions(row.Criteria) {
		n := condition(row.Criteria, i, negated)
		if g, isOne := x.rangeTestOf(n, negated); isOne {
			all.ranges = append(all.ranges, g)
		} else if m, isOne := x.setTestOf(r, n, negated); isOne {
			all.sets = append(all.sets, m)
		} else if n.Op == OpSample || n.Op.IsProperty() {
			all.nodes = append(all.nodes, int32(i))
		} else if c, isOne := x.countOf(r, n); isOne && !negated {
			all.counts = append(all.counts, c)
		} else {
			all.asks = append(all.asks, int32(i))
		}
	}
	x.sortRangeTests(all.ranges)
	p := compiled{ranges: [4]rangeTest{anyRange, anyRange, anyRange, anyRange}, set: anySet}
	all.ranges = all.ranges[copy(p.ranges[:], all.ranges):]
	if len(all.sets) > 0 {
		p.set, all.sets = all.sets[0], all.sets[1:]
	}
	if !all.generated {
		all.counts = all.counts[copy(p.counts[:], all.counts):]
	}
	if all.says() {
		p.rest, p.moreTests = int32(len(x.rests)), len(all.ranges)+len(all.sets) > 0
		x.rests = append(x.rests, all)
	}
	x.compiled = append(x.compiled, p)
}

// says reports whether the rest has conditions.
func (r *rest) says() bool {
	return len(r.ranges)+len(r.sets)+len(r.counts)+len(r.nodes)+len(r.asks) > 0
}

// open returns 1 if the tests of a bucket pass, and else 0.
func (x *flat) open(b BucketIndex, codes []int32) uint32 {
	p := &x.compiled[b]
	all := p.ranges[0].holds(codes) & p.ranges[1].holds(codes) & p.ranges[2].holds(codes) & p.ranges[3].holds(codes) & p.set.holds(codes)
	if !p.moreTests { // nearly always, so the branch is predictable
		return all
	}
	rest := &x.rests[p.rest]
	for i := range rest.ranges {
		all &= rest.ranges[i].holds(codes)
	}
	for i := range rest.sets {
		all &= rest.sets[i].holds(codes)
	}
	return all
}

// run evaluates the criteria of a bucket.
func (x *flat) run(b BucketIndex, row *Bucket, f *Facts) Verdict {
	all, p := x.properties(b, row, f), &x.compiled[b]
	if all == closed {
		return closed
	}
	for i := range p.counts {
		if c := p.counts[i]; c.atLeast > 0 {
			all = all.and(c.of(f, x.spans))
		}
	}
	if p.rest == 0 {
		return all
	}
	rest := &x.rests[p.rest]
	if rest.generated {
		return row.CriteriaFunc(f)
	}
	for _, c := range rest.counts {
		all = all.and(c.of(f, x.spans))
	}
	for _, n := range rest.asks {
		all = all.and(f.evaluate(row.Criteria[n:]))
	}
	return all
}

// properties evaluates the conditions on properties, until one is closed.
func (x *flat) properties(b BucketIndex, row *Bucket, f *Facts) Verdict {
	if x.open(b, f.codes) == 0 {
		return closed
	}
	all := Verdict{true, Never}
	for _, n := range x.rests[x.compiled[b].rest].nodes {
		v := f.evaluate(row.Criteria[n:])
		if v == closed {
			return closed
		}
		all = all.and(v)
	}
	return all
}
