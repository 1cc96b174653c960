package table

import "slices"

// MoreThan holds while the property is a number greater than n.
func (f *Facts) MoreThan(p PropertyIndex, n float64) Verdict {
	v := f.value(p)
	return fixed(v.Kind == Number && v.Number > n)
}

// NotLess holds while the property is a number not less than n.
func (f *Facts) NotLess(p PropertyIndex, n float64) Verdict {
	v := f.value(p)
	return fixed(v.Kind == Number && v.Number >= n)
}

// LessThan holds while the property is a number less than n.
func (f *Facts) LessThan(p PropertyIndex, n float64) Verdict {
	v := f.value(p)
	return fixed(v.Kind == Number && v.Number < n)
}

// NotMore holds while the property is a number not greater than n.
func (f *Facts) NotMore(p PropertyIndex, n float64) Verdict {
	v := f.value(p)
	return fixed(v.Kind == Number && v.Number <= n)
}

// InNumbers holds while the property is one of the numbers, which are sorted.
func (f *Facts) InNumbers(p PropertyIndex, numbers ...float64) Verdict {
	v := f.value(p)
	if v.Kind != Number {
		return fixed(false)
	}
	_, found := slices.BinarySearch(numbers, v.Number)
	return fixed(found)
}

// Between holds while the property is a number from least to most.
func (f *Facts) Between(p PropertyIndex, least, most float64) Verdict {
	v := f.value(p)
	return fixed(v.Kind == Number && v.Number >= least && v.Number <= most)
}
