package registry

import "math"

// door is the gates of a criteria: conditions on properties that no clock changes. They come in two forms, so that what
// answers them need not choose among operations, which a processor cannot foresee. The first ranges stand in the door
// itself, which is as large as what is read from memory at once; the other gates begin at these places and end where those
// of the next door begin.
type door struct {
	ranges  [2]within
	more    int32 // in flat.ranges
	matches int32 // in flat.matches
	guarded int32 // 1 if the first match is the guard, else 0
	_       int32
}

type (
	// match is the condition that a property has a value whose key is one of some, or that it has not.
	match struct {
		property Property
		least    int32  // of the keys
		keys     uint64 // a bit for each, from the least on
		unlike   bool
	}
	// within is the condition that a property is a number from least to most, or that it is not.
	within struct {
		property    Property
		outside     uint32 // 1 or 0
		least, most float64
	}
)

// anything is a range that lets everything through.
var anything = within{outside: 1, least: math.Inf(1), most: math.Inf(-1)}

// addMatch appends a condition as a match, if it can be written as one.
func (x *flat) addMatch(r *Registry, n *Node, negated bool) bool {
	var values []Value
	switch {
	case n.Op == OpIs && n.Value.Kind != Missing && n.Value.Kind != Composite && n.Value.Kind != List:
		values = []Value{n.Value}
	case n.Op == OpIn && r.Properties[n.Property].Type != Time: // an instant is a text, too, but its key is another
		for _, text := range n.With.Texts {
			values = append(values, Value{Kind: Text, Text: text})
		}
	case n.Op == OpInNumbers:
		for _, number := range n.With.Numbers {
			values = append(values, Value{Kind: Number, Number: number})
		}
	}
	if len(values) == 0 {
		return false
	}
	m := match{property: n.Property, least: math.MaxInt32, unlike: negated}
	most := int32(0)
	for _, v := range values {
		key := x.keys[n.Property].add(v)
		m.least, most = min(m.least, key), max(most, key)
	}
	if most-m.least >= 64 {
		return false
	}
	for _, v := range values {
		m.keys |= 1 << (x.keys[n.Property].of(&v) - m.least)
	}
	x.matches = append(x.matches, m)
	return true
}

// addRange adds a condition to a door as a range, if it can be written as one.
func (x *flat) addRange(d *door, n *Node, negated bool) bool {
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
	default:
		return false
	}
	for i := range d.ranges {
		if d.ranges[i] == anything {
			d.ranges[i] = in
			return true
		}
	}
	x.ranges = append(x.ranges, in)
	return true
}

// open reports whether the gates of a bucket let a user through.
func (x *flat) open(b Index, f *Facts) bool {
	d, next := &x.doors[b], &x.doors[b+1]
	return f.holdsAll(x.matches[d.matches:next.matches])&x.through(d, next, f) == 1
}

// lets is as open, where the guard is known to be.
func (x *flat) lets(b Index, f *Facts) uint32 {
	d, next := &x.doors[b], &x.doors[b+1]
	all := x.through(d, next, f)
	if first := d.matches + d.guarded; first < next.matches {
		all &= f.holdsAll(x.matches[first:next.matches])
	}
	return all
}

// The answers here are 1 and 0, and made without a branch: whether a user has a value is as good as random.

func (x *flat) through(d, next *door, f *Facts) uint32 {
	all := d.ranges[0].holds(f) & d.ranges[1].holds(f)
	for i := d.more; i < next.more; i++ {
		all &= x.ranges[i].holds(f)
	}
	return all
}

// holds asks about a number. What is none, is NaN.
func (w *within) holds(f *Facts) uint32 {
	v := f.numbers[w.property]
	var above, below uint32
	if v >= w.least {
		above = 1
	}
	if v <= w.most {
		below = 1
	}
	return above&below ^ w.outside
}

func (f *Facts) holdsAll(matches []match) uint32 {
	all := true
	for i := range matches {
		m := &matches[i]
		all = all && (m.keys>>uint32(f.keys[m.property]-m.least)&1 == 1) != m.unlike
	}
	if all {
		return 1
	}
	return 0
}
