package table

import "iter"

// A criteria is answered in this order: gates first, which cost next to nothing, then whatever else only asks about
// properties, then the rest. If one of the first two fails for good, no fact is asked for.

// program is what the criteria of a bucket says, as large as what is read from memory at once.
type compiled struct {
	ranges    [4]rangeTest // those that are closed most often first
	set       setTest
	counts    [2]count // those of none are none
	rest      int32    // in flat.rests: what did not fit in; 0 if everything did
	moreTests bool     // there are gates or matches in the rest
}

// rest is what else a criteria says: nodes are places in it.
type rest struct {
	ranges []rangeTest
	sets   []setTest
	counts []count
	nodes  []int32 // that only ask about properties
	asks   []int32 // that ask for facts

	generated bool // there is a function, which answers what is not shut
}

// conditions goes through what a criteria combines by All at the top, or its one condition: by its place, and whether it is
// negated.
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

// condition returns the condition at a place, or the one that is negated there.
func condition(nodes []Node, place int, negated bool) *Node {
	if negated {
		place++
	}
	return &nodes[place]
}

// compile appends the program of a criteria.
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

// says reports whether there is anything left.
func (r *rest) says() bool {
	return len(r.ranges)+len(r.sets)+len(r.counts)+len(r.nodes)+len(r.asks) > 0
}

// open answers 1 if the gates of a bucket let a user through, and else 0.
func (x *flat) open(b BucketIndex, keys []int32) uint32 {
	p := &x.compiled[b]
	all := p.ranges[0].holds(keys) & p.ranges[1].holds(keys) & p.ranges[2].holds(keys) & p.ranges[3].holds(keys) & p.set.holds(keys)
	if !p.moreTests { // as good as always, unlike whether there is a rest at all
		return all
	}
	rest := &x.rests[p.rest]
	for i := range rest.ranges {
		all &= rest.ranges[i].holds(keys)
	}
	for i := range rest.sets {
		all &= rest.sets[i].holds(keys)
	}
	return all
}

// run answers the criteria of a bucket.
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

// properties answers what only asks about properties, as far as it takes to see that it is closed.
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
