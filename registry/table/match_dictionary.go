package table

import "slices"

// dictionary maps the values with which criteria compare a property to codes, which are small
// integers. Code 0 stands for any other value, and for none. Every number has a code: each number
// that criteria name has one, and so has each gap between two of them. Codes of numbers come first
// and are in the order of the numbers, so that a comparison of codes is a comparison of numbers.
// Codes of texts follow, then those of the other kinds.
type dictionary struct {
	numbers []float64 // sorted
	texts   map[string]int32
	words   []Value // the texts, in the order of their codes
	others  []Value // sorted
}

// add adds a value that gets a code of its own.
func (d *dictionary) add(v *Value) {
	switch v.Kind {
	case Text:
		if d.texts == nil {
			d.texts = map[string]int32{}
		}
		if _, noted := d.texts[v.Text]; !noted {
			d.texts[v.Text] = int32(len(d.texts))
		}
	case Number:
		d.numbers = append(d.numbers, v.Number)
	case Bool, Time:
		d.others = append(d.others, *v)
	case Missing, Composite, List:
	}
}

// build assigns codes to the added values.
func (d *dictionary) build() {
	slices.Sort(d.numbers)
	d.numbers = slices.Compact(d.numbers)
	slices.SortFunc(d.others, Value.Compare)
	d.others = slices.CompactFunc(d.others, Value.Equal)
	d.words = make([]Value, len(d.texts))
	for text, i := range d.texts {
		d.words[i] = Value{Kind: Text, Text: text}
		d.texts[text] = d.lastNumberCode() + 1 + i
	}
}

// lastNumberCode is the code of all numbers that are greater than those of criteria.
func (d *dictionary) lastNumberCode() int32 { return 2*int32(len(d.numbers)) + 1 }

// count is how many codes there are.
func (d *dictionary) count() int32 {
	return d.lastNumberCode() + 1 + int32(len(d.texts)+len(d.others))
}

// code returns the code of a value.
func (d *dictionary) code(v *Value) int32 {
	switch v.Kind {
	case Number:
		return d.codeOfNumber(v.Number)
	case Text:
		return d.texts[v.Text]
	case Bool, Time:
		if i, found := slices.BinarySearchFunc(d.others, v, func(other Value, v *Value) int { return other.Compare(*v) }); found {
			return d.lastNumberCode() + 1 + int32(len(d.texts)+i)
		}
	case Missing, Composite, List:
	}
	return 0
}

func (d *dictionary) codeOfNumber(n float64) int32 {
	i, found := slices.BinarySearch(d.numbers, n)
	if found {
		return 2*int32(i) + 2
	}
	return 2*int32(i) + 1
}

// value returns the value that a code determines: a text, true or false. It returns nil for numbers
// and instants, because equal ones may be written in different ways.
func (d *dictionary) value(code int32) *Value {
	i := int(code - d.lastNumberCode() - 1)
	switch {
	case code == 0 || i < 0:
		return nil
	case i < len(d.words):
		return &d.words[i]
	}
	if v := &d.others[i-len(d.words)]; v.Kind == Bool {
		return v
	}
	return nil
}
