package table

// Memory is a cache of the occurrences of a user's signals. [Facts.SetMemory] makes facts read it
// before a fact counts as lacking.
type Memory interface {
	// AppendNewest appends the newest instants of a signal, newest first, as many as the registry
	// needs, and reports whether the cache has them.
	AppendNewest(to []Dated, s SignalIndex) ([]Dated, bool)
	// Total returns the total of a signal, and whether the cache has it.
	Total(s SignalIndex) (Total, bool)
	// Latest returns the latest cached instant, or Unset.
	Latest() Instant
}

// SetMemory sets the cache that facts read before a fact counts as lacking.
func (f *Facts) SetMemory(m Memory) { f.memory = m }

// Learn calls newest and total with the loaded facts that differ from the cache.
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

// recall loads the newest instants of a signal from the cache. It returns nil if they are not
// there.
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

// recallTotal is recall for totals.
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
