package table

// Memory is what somebody remembers of the occurrences of a user's signals. [Facts.SetMemory] lets facts look there for
// what is not loaded.
type Memory interface {
	// AppendNewest appends the newest instants of a signal, newest first, as many as the registry needs, and reports whether
	// they are remembered.
	AppendNewest(to []Dated, s SignalIndex) ([]Dated, bool)
	// Total returns what is known of all occurrences of a signal, and whether that is remembered.
	Total(s SignalIndex) (Total, bool)
	// Latest returns the latest instant that is remembered, or Unset.
	Latest() Instant
}

// SetMemory lets facts that are not loaded be looked for in a memory, before they are lacking.
func (f *Facts) SetMemory(m Memory) { f.memory = m }

// Learn calls newest and total with what is loaded of the occurrences of signals and is not in the memory just so.
func (f *Facts) Learn(newest func(SignalIndex, []Dated), total func(SignalIndex, Total)) {
	for _, s := range f.all.all {
		if !s.recalled {
			newest(s.signal, s.newest)
		}
	}
	for _, t := range f.totals.all {
		if !t.recalled {
			total(t.signal, t.Total)
		}
	}
}

// recall loads the newest instants of a signal from the memory, if they are there.
func (f *Facts) recall(s SignalIndex) *series {
	if f.memory == nil {
		return nil
	}
	begin := len(f.recalled)
	var known bool
	if f.recalled, known = f.memory.AppendNewest(f.recalled, s); !known {
		return nil
	}
	end := len(f.recalled)
	f.recalled = append(f.recalled, Dated{}) // for one that is added
	return f.all.put(s, series{s, true, f.recalled[begin : end : end+1]})
}

// recallTotal is as recall, for totals.
func (f *Facts) recallTotal(s SignalIndex) *total {
	if f.memory == nil {
		return nil
	}
	known, remembered := f.memory.Total(s)
	if !remembered {
		return nil
	}
	return f.totals.put(s, total{known, s, true})
}
