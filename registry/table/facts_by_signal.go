package table

// bySignal maps some signals to values, in the order in which they were put. It is a hash table,
// because every condition on how often something happened reads it.
type bySignal[T any] struct {
	all   []T
	slots []slot // no more than half of them used
}

// slot maps a signal to the position of its value in all, counted from 1. The position in an empty
// slot is 0.
type slot struct {
	signal   SignalIndex
	position int32
}

// of returns the value of a signal, or nil. The next put may move it.
func (t *bySignal[T]) of(s SignalIndex) *T {
	if len(t.slots) == 0 {
		return nil
	}
	if in := t.slot(s); in.position > 0 {
		return &t.all[in.position-1]
	}
	return nil
}

// put adds the value of a signal that has none.
func (t *bySignal[T]) put(s SignalIndex, v T) *T {
	if 2*len(t.all) >= len(t.slots) {
		before := t.slots
		t.slots = make([]slot, max(8, 2*len(before)))
		for _, in := range before {
			if in.position > 0 {
				*t.slot(in.signal) = in
			}
		}
	}
	if t.all == nil {
		t.all = make([]T, 0, few)
	}
	t.all = append(t.all, v)
	*t.slot(s) = slot{s, int32(len(t.all))}
	return &t.all[len(t.all)-1]
}

// emptied returns an empty table with the memory of this one, which must not be used any more.
func (t *bySignal[T]) emptied() bySignal[T] {
	clear(t.slots)
	return bySignal[T]{t.all[:0], t.slots}
}

// few is how many signals most events concern.
const few = 4

// slot returns the slot of a signal, or the empty one where it belongs.
func (t *bySignal[T]) slot(s SignalIndex) *slot {
	const golden = 0x9E3779B1
	last := uint32(len(t.slots) - 1)
	for i := uint32(s) * golden >> 16; ; i++ {
		if in := &t.slots[i&last]; in.position == 0 || in.signal == s {
			return in
		}
	}
}
