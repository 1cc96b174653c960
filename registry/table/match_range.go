package table

import (
	"cmp"
	"math"
	"slices"
)

// Tests are conditions on properties that no clock changes, as comparisons of codes. They contain
// no choice among operations, which a processor cannot predict. They are small, because there are
// many of them, so a property with more codes than a uint16 counts has none.
type (
	// rangeTest is the condition that the code of a property is in a range: least, and as many
	// further codes. Codes wrap around: 0 follows the last one. So the opposite of a range is a
	// range.
	rangeTest struct{ property, least, further uint16 }
	// setTest is the condition that the code of a property is in a set, or that it is not.
	setTest struct {
		property, least uint16
		unlike          uint32 // 1 or 0
		codes           uint64 // a bit for each code, from least on
	}
)

// Tests that always pass.
var (
	anyRange = rangeTest{further: math.MaxUint16}
	anySet   = setTest{unlike: 1}
)

// holds returns 1 or 0. It has no branch, because a processor cannot predict the values of users.
func (t *rangeTest) holds(codes []int32) uint32 {
	if uint16(codes[t.property])-t.least <= t.further {
		return 1
	}
	return 0
}

func (m *setTest) holds(codes []int32) uint32 {
	return uint32(m.codes>>(uint16(codes[m.property])-m.least))&1 ^ m.unlike
}

// testable reports whether a condition may be written as a test.
func (x *flat) testable(n *Node) bool {
	return n.Op.IsProperty() && n.Property <= math.MaxUint16 && x.dictionaries[n.Property].count() <= math.MaxUint16
}

// rangeFrom returns the test for the codes from least to most, or for the others if negated.
func rangeFrom(p PropertyIndex, least, most int32, negated bool) rangeTest {
	if negated {
		least, most = most+1, least-1
	}
	return rangeTest{uint16(p), uint16(least), uint16(most - least)}
}

// rangeTestOf returns a condition as a range test, and whether it can be written as one.
func (x *flat) rangeTestOf(n *Node, negated bool) (g rangeTest, isOne bool) {
	if !x.testable(n) {
		return rangeTest{}, false
	}
	k := &x.dictionaries[n.Property]
	least, most := int32(1), k.lastNumberCode()
	switch n.Op {
	case OpIs:
		least = k.code(&n.Value)
		if least == 0 { // the value equals nothing
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

// setTestOf returns a condition as a set test, and whether it can be written as one.
func (x *flat) setTestOf(r *Registry, n *Node, negated bool) (m setTest, isOne bool) {
	// An instant is a text, too, but has another code.
	if n.Op != OpIn && n.Op != OpInNumbers || !x.testable(n) || r.Properties[n.Property].Type == Time {
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
	for _, code := range all {
		m.codes |= 1 << (uint16(code) - m.least)
	}
	return m, true
}

// operands returns the values with which a condition compares a property, if codes can answer it.
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

// sortRangeTests sorts tests so that those that fail for most codes come first.
func (x *flat) sortRangeTests(tests []rangeTest) {
	open := func(t rangeTest) float64 { return float64(t.further) / float64(x.dictionaries[t.property].count()) }
	slices.SortStableFunc(tests, func(a, b rangeTest) int { return cmp.Compare(open(a), open(b)) })
}
