package table

import "slices"

// keys are the values of a property that criteria compare it with, as small integers. Key 0 is that of any other value, and of
// none. A number has a key in any case: it says which of those numbers it is, or between which of them it lies, so that keys
// are in the order of numbers. Texts come after them, then the rest.
type dictionary struct {
	numbers []float64 // sorted
	texts   map[string]int32
	words   []Value // the texts, in the order of their keys
	others  []Value // sorted
}

// note lets a value have a key of its own.
func (k *dictionary) add(v *Value) {
	switch v.Kind {
	case Text:
		if k.texts == nil {
			k.texts = map[string]int32{}
		}
		if _, noted := k.texts[v.Text]; !noted {
			k.texts[v.Text] = int32(len(k.texts))
		}
	case Number:
		k.numbers = append(k.numbers, v.Number)
	case Bool, Time:
		k.others = append(k.others, *v)
	case Missing, Composite, List:
	}
}

// settle makes keys of what was noted.
func (k *dictionary) build() {
	slices.Sort(k.numbers)
	k.numbers = slices.Compact(k.numbers)
	slices.SortFunc(k.others, Value.Compare)
	k.others = slices.CompactFunc(k.others, Value.Equal)
	k.words = make([]Value, len(k.texts))
	for text, i := range k.texts {
		k.words[i] = Value{Kind: Text, Text: text}
		k.texts[text] = k.lastNumberCode() + 1 + i
	}
}

// mostNumber is the key of all numbers that are greater than those of criteria.
func (k *dictionary) lastNumberCode() int32 { return 2*int32(len(k.numbers)) + 1 }

// count is how many keys there are.
func (k *dictionary) count() int32 {
	return k.lastNumberCode() + 1 + int32(len(k.texts)+len(k.others))
}

// of returns the key of a value.
func (k *dictionary) code(v *Value) int32 {
	switch v.Kind {
	case Number:
		return k.codeOfNumber(v.Number)
	case Text:
		return k.texts[v.Text]
	case Bool, Time:
		if i, found := slices.BinarySearchFunc(k.others, v, func(other Value, v *Value) int { return other.Compare(*v) }); found {
			return k.lastNumberCode() + 1 + int32(len(k.texts)+i)
		}
	case Missing, Composite, List:
	}
	return 0
}

func (k *dictionary) codeOfNumber(n float64) int32 {
	i, found := slices.BinarySearch(k.numbers, n)
	if found {
		return 2*int32(i) + 2
	}
	return 2*int32(i) + 1
}

// value returns the value that a key tells, or nil: texts, true and false. Numbers and instants that are equal may be written in
// different ways.
func (k *dictionary) value(key int32) *Value {
	i := int(key - k.lastNumberCode() - 1)
	switch {
	case key == 0 || i < 0:
		return nil
	case i < len(k.words):
		return &k.words[i]
	}
	if v := &k.others[i-len(k.words)]; v.Kind == Bool {
		return v
	}
	return nil
}
