package store

import (
	"strconv"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry/table"
)

// addOccurrences adds the occurrences of signals. A statement has one row for each user and signal,
// or group.
func (w *Write) addOccurrences(s *Store, contact int64, all []table.Occurrence) {
	for _, o := range all {
		row := &s.registry.Signals[o.Signal]
		if row.Totals {
			w.addTotal(contact, s.signals[o.Signal], o)
		}
		if row.KeepsOccurrences() {
			w.addOccurrence(s, contact, o)
		}
	}
}

func (w *Write) addOccurrence(s *Store, contact int64, o table.Occurrence) {
	no := s.signals[o.Signal]
	if s.registry.Signals[o.Signal].Distinct != table.DistinctNone {
		w.addGroup(contact, no, o)
		return
	}
	w.occurrences.ContactIds = append(w.occurrences.ContactIds, contact)
	w.occurrences.SignalNos = append(w.occurrences.SignalNos, no)
	w.occurrences.OccurredAt = append(w.occurrences.OccurredAt, timestamp(o.At))
	w.occurrences.Values = append(w.occurrences.Values, storedValue(o))
}

func (w *Write) addTotal(contact int64, no int32, o table.Occurrence) {
	t := &w.totals
	place := w.placeOfTotal(contact, no)
	if place < 0 {
		w.makeRoomForTotals()
		t.ContactIds, t.SignalNos = append(t.ContactIds, contact), append(t.SignalNos, no)
		t.Counts = append(t.Counts, 1)
		t.FirstAt, t.LastAt = append(t.FirstAt, timestamp(o.At)), append(t.LastAt, timestamp(o.At))
		t.FirstValues, t.LastValues = append(t.FirstValues, storedValue(o)), append(t.LastValues, storedValue(o))
		return
	}
	t.Counts[place]++
	if at := timestamp(o.At); at.Time.Before(t.FirstAt[place].Time) {
		t.FirstAt[place], t.FirstValues[place] = at, storedValue(o)
	} else if !at.Time.Before(t.LastAt[place].Time) {
		t.LastAt[place], t.LastValues[place] = at, storedValue(o)
	}
}

// placeOfTotal returns the index of the row of a user and a signal, or -1. The rows of a user are
// adjacent and few.
func (w *Write) placeOfTotal(contact int64, no int32) int {
	t := &w.totals
	i := len(t.ContactIds) - 1
	for i >= 0 && t.ContactIds[i] == contact && t.SignalNos[i] != no {
		i--
	}
	if i < 0 || t.ContactIds[i] != contact {
		return -1
	}
	return i
}

// makeRoomForTotals is makeRoomForEvents for totals: most events change one.
func (w *Write) makeRoomForTotals() {
	t, n := &w.totals, w.expected
	if t.ContactIds != nil {
		return
	}
	t.ContactIds, t.SignalNos, t.Counts = make([]int64, 0, n), make([]int32, 0, n), make([]int64, 0, n)
	t.FirstAt, t.LastAt = make([]pgtype.Timestamptz, 0, n), make([]pgtype.Timestamptz, 0, n)
	t.FirstValues, t.LastValues = make([]string, 0, n), make([]string, 0, n)
}

func (w *Write) addGroup(contact int64, no int32, o table.Occurrence) {
	g := &w.groups
	key := groupKey{contact, no, o.Group}
	place, known := w.places[key]
	if !known {
		g.ContactIds, g.SignalNos = append(g.ContactIds, contact), append(g.SignalNos, no)
		g.Names, g.OccurredAt = append(g.Names, o.Group), append(g.OccurredAt, timestamp(o.At))
		if w.places == nil {
			w.places = map[groupKey]int{}
		}
		w.places[key] = len(g.Names) - 1
		return
	}
	if at := timestamp(o.At); at.Time.After(g.OccurredAt[place].Time) {
		g.OccurredAt[place] = at
	}
}

// groupKey identifies a row of groups, which stands for several occurrences.
type groupKey struct {
	contact int64
	signal  int32
	group   string
}

// storedValue returns the value that is stored of an occurrence, or "".
func storedValue(o table.Occurrence) string {
	if !o.Value.Exists() {
		return ""
	}
	return string(payload.AppendValue(nil, o.Value))
}

// addRebuilt replaces what is stored by what was derived anew. Sums and progress are among the
// changes of the facts.
func (w *Write) addRebuilt(s *Store, contact int64, m *rebuilt) {
	has := map[table.Derived]bool{}
	for _, k := range m.parts {
		has[k] = true
		switch k.Kind {
		case table.DerivedTotals:
			w.totalsGone.ContactIds = append(w.totalsGone.ContactIds, contact)
			w.totalsGone.SignalNos = append(w.totalsGone.SignalNos, s.signals[k.Signal])
		case table.DerivedOccurrences:
			w.occurrencesGone.ContactIds = append(w.occurrencesGone.ContactIds, contact)
			w.occurrencesGone.SignalNos = append(w.occurrencesGone.SignalNos, s.signals[k.Signal])
		case table.DerivedSum: // is replaced
		case table.DerivedProgress:
			w.progressGone.ContactIds = append(w.progressGone.ContactIds, contact)
			w.progressGone.SequenceNos = append(w.progressGone.SequenceNos, s.sequences[k.Sequence])
		}
	}
	for _, o := range m.occurrences {
		if has[table.Derived{Kind: table.DerivedTotals, Signal: o.Signal}] {
			w.addTotal(contact, s.signals[o.Signal], o)
		}
		if has[table.Derived{Kind: table.DerivedOccurrences, Signal: o.Signal}] {
			w.addOccurrence(s, contact, o)
		}
	}
	var advances []table.Advance
	for _, a := range m.advances {
		if has[table.Derived{Kind: table.DerivedProgress, Sequence: a.Sequence}] {
			advances = append(advances, a)
		}
	}
	w.addProgress(s, contact, advances, nil)
}

func (w *Write) addProgress(s *Store, contact int64, advances []table.Advance, changes []table.ProgressChange) {
	for _, a := range advances {
		w.advances.ContactIds = append(w.advances.ContactIds, contact)
		w.advances.SequenceNos = append(w.advances.SequenceNos, s.sequences[a.Sequence])
		w.advances.Keys = append(w.advances.Keys, a.Key)
		w.advances.OccurredAt = append(w.advances.OccurredAt, timestamp(a.At))
		w.advances.Steps = append(w.advances.Steps, int32(a.Steps))
	}
	for i := range changes {
		c := &changes[i]
		w.progress.ContactIds = append(w.progress.ContactIds, contact)
		w.progress.SequenceNos = append(w.progress.SequenceNos, s.sequences[c.Sequence])
		w.progress.Keys = append(w.progress.Keys, c.Key)
		w.progress.SeenAt = append(w.progress.SeenAt, timestamp(c.Seen))
		w.progress.Begins, w.progress.Ends = append(w.progress.Begins, instants(c.Begins)), append(w.progress.Ends, instants(c.Ends))
		w.progress.AnswerAt = append(w.progress.AnswerAt, timestamp(c.Answer))
		w.progress.OutcomeAt = append(w.progress.OutcomeAt, timestamp(c.Outcome()))
	}
}

// instants returns an array literal, because a statement cannot take one array for each row.
func instants(all []table.Instant) string {
	text := []byte{'{'}
	for i, at := range all {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, int64(at), 10)
	}
	return string(append(text, '}'))
}

func (w *Write) addSums(s *Store, contact int64, changes []table.SumChange) {
	for _, c := range changes {
		w.sums.ContactIds = append(w.sums.ContactIds, contact)
		w.sums.SignalNos = append(w.sums.SignalNos, s.signals[c.Signal])
		w.sums.Windows = append(w.sums.Windows, s.registry.Signals[c.Signal].Sums[c.Position].Name())
		w.sums.Totals = append(w.sums.Totals, table.DecimalText(c.Total))
		w.sums.Counts = append(w.sums.Counts, int64(c.Count))
		w.sums.Cutoffs = append(w.sums.Cutoffs, timestamp(c.Cutoff))
	}
}
