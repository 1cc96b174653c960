package table

import (
	"cmp"
	"math"
	"slices"
)

// Gates are conditions on properties that no clock changes, in forms that are answered by the key of the value alone, and
// without choosing among operations, which a processor cannot foresee. They are small, because there are many, so that only
// those of properties with fewer keys than that are written as such.
type (
	// gate is the condition that the key of a property is from the least one on, so many further. Keys go round: what comes
	// after the last is the first, so that the opposite of a gate is a gate.
	rangeTest struct{ property, least, further uint16 }
	// match is the condition that the key of a property is one of some, or that it is not.
	setTest struct {
		property, least uint16
		unlike          uint32 // 1 or 0
		codes           uint64 // a bit for each, from the least on
	}
)

// These let everything through.
var (
	anyRange = rangeTest{further: math.MaxUint16}
	anySet   = setTest{unlike: 1}
)

// holds answers 1 or 0, without a branch: whether a user has a value is as good as random.
func (g *rangeTest) holds(keys []int32) uint32 {
	if uint16(keys[g.property])-g.least <= g.further {
		return 1
	}
	return 0
}

func (m *setTest) holds(keys []int32) uint32 {
	return uint32(m.codes>>(uint16(keys[m.property])-m.least))&1 ^ m.unlike
}

// gated reports whether a condition may be written as one of these.
func (x *flat) testable(n *Node) bool {
	return n.Op.IsProperty() && n.Property <= math.MaxUint16 && x.dictionaries[n.Property].count() <= math.MaxUint16
}

// gateFrom returns the gate that lets keys through from the least to the most, or the others.
func rangeFrom(p PropertyIndex, least, most int32, negated bool) rangeTest {
	if negated {
		least, most = most+1, least-1
	}
	return rangeTest{uint16(p), uint16(least), uint16(most - least)}
}

// gateOf returns a condition as a gate, if it can be written as one.
func (x *flat) rangeTestOf(n *Node, negated bool) (g rangeTest, isOne bool) {
	if !x.testable(n) {
		return rangeTest{}, false
	}
	k := &x.dictionaries[n.Property]
	least, most := int32(1), k.lastNumberCode()
	switch n.Op {
	case OpIs:
		least = k.code(&n.Value)
		if least == 0 { // what equals nothing
			return rangeTest{}, false
		}
		most = least
	case OpMoreThan:
		least = k.codeOfNumber(n.Value.Number) + 1
	case OpNotLess:
		least = k.codeOfNumber(n.Value.Number)
	case OpLessThan:
		most = k.codeOfNumber(n.Value.Number) - 1
	case OpNotMore:
		most = k.codeOfNumber(n.Value.Number)
	case OpBetween:
		least, most = k.codeOfNumber(n.With.Numbers[0]), k.codeOfNumber(n.With.Numbers[1])
	default:
		return rangeTest{}, false
	}
	return rangeFrom(n.Property, least, most, negated), least <= most
}

// matchOf returns a condition as a match, if it can be written as one.
func (x *flat) setTestOf(r *Registry, n *Node, negated bool) (m setTest, isOne bool) {
	if n.Op != OpIn && n.Op != OpInNumbers || !x.testable(n) || r.Properties[n.Property].Type == Time { // an instant is a text, too, but its key is another
		return setTest{}, false
	}
	m = setTest{property: uint16(n.Property)}
	if negated {
		m.unlike = 1
	}
	var all []int32
	for _, v := range n.operands() {
		all = append(all, x.dictionaries[n.Property].code(&v))
	}
	if len(all) == 0 || slices.Max(all)-slices.Min(all) >= 64 {
		return setTest{}, false
	}
	m.least = uint16(slices.Min(all))
	for _, key := range all {
		m.codes |= 1 << (uint16(key) - m.least)
	}
	return m, true
}

// operands returns the values with which a condition compares a property, if keys can answer it.
func (n *Node) operands() []Value {
	var all []Value
	switch n.Op {
	case OpIs, OpMoreThan, OpNotLess, OpLessThan, OpNotMore:
		all = append(all, n.Value)
	case OpIn:
		for _, text := range n.With.Texts {
			all = append(all, Value{Kind: Text, Text: text})
		}
	case OpInNumbers, OpBetween:
		for _, number := range n.With.Numbers {
			all = append(all, Value{Kind: Number, Number: number})
		}
	}
	return all
}

// sortGates puts those first that are closed for most keys.
func (x *flat) sortRangeTests(gates []rangeTest) {
	open := func(g rangeTest) float64 { return float64(g.further) / float64(x.dictionaries[g.property].count()) }
	slices.SortStableFunc(gates, func(a, b rangeTest) int { return cmp.Compare(open(a), open(b)) })
}
