package table

// First returns the facts of the first occurrence of a signal ever: its field, which is missing if
// there was none. The next call reuses them, so conditions are evaluated before it.
func (f *Facts) First(s SignalIndex) *Facts {
	t := f.totalOf(s)
	return f.single(s, t.ends().First)
}

// Last is First for the last occurrence.
func (f *Facts) Last(s SignalIndex) *Facts {
	t := f.totalOf(s)
	return f.single(s, t.ends().Last)
}

func (f *Facts) single(s SignalIndex, v Value) *Facts {
	if f.payload == nil { // one for all conditions, because there may be many fields
		f.payload = &Facts{registry: f.registry, fields: make([]Value, len(f.registry.Fields)), complete: true}
	}
	f.payload.now = f.now
	f.payload.fields[f.registry.Signals[s].Field] = v
	return f.payload
}
