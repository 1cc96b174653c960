package table

import "slices"

// PastWindow is a part of the occurrences of a signal: all of them from the first to the last of
// At.
type PastWindow struct {
	At      []Instant // in the order of time
	Earlier bool      // there may be others before the first
	Later   bool      // and after the last
}

// pastWindow is the loaded occurrences around the end of a window that ends some time ago.
type pastWindow struct {
	PastWindow
	signal   SignalIndex
	position int
	window   Window
	newest   int // how many before the end of the window suffice
}

// SetPastWindow sets the occurrences of a signal around the end of one of its windows that end some
// time ago. position is that of the window in the signal. The slice is kept.
func (f *Facts) SetPastWindow(s SignalIndex, position int, v PastWindow) {
	if have := f.pastWindow(s, position); have != nil {
		have.PastWindow = v
		return
	}
	row := &f.registry.Signals[s]
	f.pastWindows = append(f.pastWindows, &pastWindow{v, s, position, row.Ago[position], row.Newest})
}

func (f *Facts) pastWindow(s SignalIndex, position int) *pastWindow {
	for _, have := range f.pastWindows {
		if have.signal == s && have.position == position {
			return have
		}
	}
	return nil
}

// around returns the occurrences around the end of a window, and whether they suffice. It records a
// need if they do not.
func (f *Facts) around(s SignalIndex, w Window) (*pastWindow, bool) {
	position := slices.Index(f.registry.Signals[s].Ago, w)
	have := f.pastWindow(s, position)
	if have == nil && f.complete {
		f.SetPastWindow(s, position, PastWindow{})
		have = f.pastWindow(s, position)
	}
	if have == nil || !have.covers(f.now) {
		f.need(Need{Signal: s, Kind: NeedPastWindow, Position: position, At: f.now})
		return nil, false
	}
	return have, true
}

// addPastWindows adds an occurrence to the past windows of its signal that it lies in.
func (f *Facts) addPastWindows(row *Signal, o Occurrence) {
	for position := range row.Ago {
		have := f.pastWindow(o.Signal, position)
		if have == nil {
			if !f.complete {
				continue
			}
			f.SetPastWindow(o.Signal, position, PastWindow{})
			have = f.pastWindow(o.Signal, position)
		}
		i := have.until(o.At)
		if i == 0 && have.Earlier || i == len(have.At) && have.Later {
			continue // it lies outside of what is loaded
		}
		have.At = slices.Insert(slices.Clip(have.At), i, o.At)
	}
}

// until returns how many of the occurrences are not later than an instant.
func (s *PastWindow) until(t Instant) int {
	i, _ := slices.BinarySearch(s.At, t+1)
	return i
}

// covers reports whether the occurrences suffice to answer at an instant: the number that criteria
// ask for up to the end of the window, and one after it, so that none is missing in between.
func (s *pastWindow) covers(now Instant) bool {
	i := s.until(now.Add(-s.window.Until))
	return (i >= s.newest || !s.Earlier) && (i < len(s.At) || !s.Later)
}

// atLeast reports whether n occurrences or more are in the window at an instant.
func (s *pastWindow) atLeast(n int, now Instant) bool {
	i := s.until(now.Add(-s.window.Until))
	return n <= 0 || i >= n && s.At[i-n].Add(s.window.Span) > now
}

// moving answers a condition on a window that ends some time ago, which occurrences enter and
// leave. The horizon is the instant at which one of them changes the answer. If no known occurrence
// does, it is the instant at which the last of them enters.
func (f *Facts) moving(holds func(now Instant) bool, all ...*pastWindow) Verdict {
	limit := Never
	var instants []Instant
	for _, s := range all {
		if s.Later {
			limit = min(limit, s.At[len(s.At)-1].Add(s.window.Until))
		}
		// Earlier occurrences have left, or do not matter.
		first := max(0, s.until(f.now.Add(-s.window.Until))-s.newest)
		for _, at := range s.At[first:] {
			instants = append(instants, at.Add(s.window.Until), at.Add(s.window.Span))
		}
	}
	slices.Sort(instants)
	now := holds(f.now)
	for _, t := range instants {
		if t > f.now && t < limit && holds(t) != now {
			return Verdict{now, t}
		}
	}
	return Verdict{now, limit}
}
