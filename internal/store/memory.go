package store

import (
	"cmp"
	"slices"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry"
)

// memory is all that is known of a user beside their properties, as this engine left it. It is changed only by whoever has
// the user's lock, found that nobody else has written since, and took it from the cache, into which it comes back once
// that is committed. It is a [registry.Memory].
type memory struct {
	registry *registry.Registry
	stays    []stay       // the latest in each bucket, of those in which the user ever was
	due      []decide.Due // as they are in the database
	whole    bool         // of signals that may be remembered and are not here, nothing ever occurred
	latest   registry.Instant

	series   []span // where in the instants those of a signal begin, sorted
	instants []registry.Instant
	totals   []count // sorted
}

// stay is what is remembered of one: all that decides about what comes.
type stay struct {
	bucket                                registry.Index
	blocked                               bool
	epoch                                 int
	enteredAt, leftAt, anchorAt, tickedAt registry.Instant
}

func stayOf(s *decide.Stay) stay {
	return stay{s.Bucket, s.Blocked, s.Epoch, s.EnteredAt, s.LeftAt, s.AnchorAt, s.TickedAt}
}

func (s *stay) recall() decide.Stay {
	return decide.Stay{
		Bucket: s.bucket, Epoch: s.epoch, EnteredAt: s.enteredAt, LeftAt: s.leftAt, AnchorAt: s.anchorAt, TickedAt: s.tickedAt, Blocked: s.blocked,
	}
}

type span struct {
	signal registry.Signal
	begin  int32
}

type count struct {
	signal      registry.Signal
	number      int
	first, last registry.Instant
}

// How much of a user is remembered: of a signal, at most so many instants; of all, if there are not more; and so many stays.
const (
	mostInstants = 256
	mostOfAll    = 1024
	mostSignals  = 64
	mostStays    = 256
	mostEvents   = 512 // of a log that is read in one go
)

// hasNewest and hasTotal report whether the newest instants, or totals, of a signal are remembered: those without values.
func hasNewest(row *registry.SignalRow) bool {
	return row.Newest > 0 && row.Newest <= mostInstants && row.Distinct == registry.DistinctNone
}

func hasTotal(row *registry.SignalRow) bool { return row.Totals && row.Field == registry.NoField }

// isSimple reports whether all that criteria ever ask about signals can be remembered, and is not too much to be read at once.
func isSimple(r *registry.Registry) bool {
	instants := 0
	for i := range r.Signals {
		row := &r.Signals[i]
		instants += row.Newest
		newest := row.Newest == 0 || hasNewest(row) && row.Plain()
		totals := !row.Totals || hasTotal(row)
		if !newest || !totals || len(row.Sums)+len(row.Ago) > 0 {
			return false
		}
	}
	return len(r.Signals) <= mostSignals && instants <= mostOfAll && len(r.Sequences) == 0
}

// holds reports whether users who come again are to be held, as far as is known.
func (s *Store) holds() bool {
	d := s.deployment.Load()
	return d != nil && d.Agreed && s.cache.number() != 0 && s.cache.worthwhile()
}

// AppendNewest is part of [registry.Memory].
func (m *memory) AppendNewest(to []registry.Dated, s registry.Signal) ([]registry.Dated, bool) {
	row := &m.registry.Signals[s]
	if !hasNewest(row) {
		return to, false
	}
	i, known := m.seriesOf(s)
	if !known {
		return to, m.whole
	}
	for _, at := range m.instants[m.series[i].begin:][:row.Newest] {
		if at == registry.Unset {
			break
		}
		to = append(to, registry.Dated{At: at})
	}
	return to, true
}

// seriesOf returns where the series of a signal is, or would be.
func (m *memory) seriesOf(s registry.Signal) (int, bool) {
	return slices.BinarySearchFunc(m.series, s, func(r span, s registry.Signal) int { return cmp.Compare(r.signal, s) })
}

// totalOf is as seriesOf, for totals.
func (m *memory) totalOf(s registry.Signal) (int, bool) {
	return slices.BinarySearchFunc(m.totals, s, func(t count, s registry.Signal) int { return cmp.Compare(t.signal, s) })
}

// Total is part of [registry.Memory].
func (m *memory) Total(s registry.Signal) (registry.Total, bool) {
	if !hasTotal(&m.registry.Signals[s]) {
		return registry.NoTotal, false
	}
	i, known := m.totalOf(s)
	if !known {
		return registry.NoTotal, m.whole
	}
	t := &m.totals[i]
	return registry.Total{Count: t.number, First: t.first, Last: t.last}, true
}

// Latest is part of [registry.Memory].
func (m *memory) Latest() registry.Instant { return m.latest }

// appendStays appends the stays for a session, which may change them.
func (m *memory) appendStays(to []decide.Stay) []decide.Stay {
	for i := range m.stays {
		to = append(to, m.stays[i].recall())
	}
	return to
}

// knows reports whether a fact is remembered.
func (m *memory) knows(n registry.Need) bool {
	switch n.Kind {
	case registry.NeedNewest:
		_, known := m.seriesOf(n.Signal)
		return hasNewest(&m.registry.Signals[n.Signal]) && (m.whole || known)
	case registry.NeedTotals:
		_, known := m.totalOf(n.Signal)
		return hasTotal(&m.registry.Signals[n.Signal]) && (m.whole || known)
	default:
		return false
	}
}

// learn returns the memory with what a session left. It must have been taken from the cache before: whether that is ever
// committed is not known yet. Where it is not whole, others look which facts are in it before they have the lock, so it
// becomes another.
func (m *memory) learn(st *decide.State) *memory {
	if !m.whole {
		other := *m
		other.stays, other.due = nil, nil
		other.series, other.instants, other.totals = slices.Clone(m.series), slices.Clone(m.instants), slices.Clone(m.totals)
		m = &other
	}
	m.latest = max(m.latest, st.Facts.Newest())
	m.stays = m.stays[:0]
	for i := range st.Stays {
		if st.Stays[i].Epoch > 0 {
			m.stays = append(m.stays, stayOf(&st.Stays[i]))
		}
	}
	m.due = st.AppendStored(m.due[:0])
	st.Facts.Learn(m.learnNewest, m.learnTotal)
	return m
}

func (m *memory) learnNewest(s registry.Signal, newest []registry.Dated) {
	row := &m.registry.Signals[s]
	if !hasNewest(row) {
		return
	}
	i, known := m.seriesOf(s)
	if !known {
		if m.whole && len(newest) == 0 {
			return
		}
		m.series = slices.Insert(m.series, i, span{s, int32(len(m.instants))})
		m.instants = slices.Grow(m.instants, row.Newest)[:len(m.instants)+row.Newest]
	}
	into := m.instants[m.series[i].begin:][:row.Newest]
	for k := range into {
		into[k] = registry.Unset
		if k < len(newest) {
			into[k] = newest[k].At
		}
	}
}

func (m *memory) learnTotal(s registry.Signal, total registry.Total) {
	if !hasTotal(&m.registry.Signals[s]) || m.whole && total.Count == 0 {
		return
	}
	i, known := m.totalOf(s)
	if !known {
		m.totals = slices.Insert(m.totals, i, count{})
	}
	m.totals[i] = count{s, total.Count, total.First, total.Last}
}

// size is roughly how many bytes of memory it takes.
func (m *memory) size() int {
	if m == nil {
		return 0
	}
	const fixed, stay, due, series, total = 200, 56, 32, 8, 32
	return fixed + stay*cap(m.stays) + due*cap(m.due) + 8*cap(m.instants) + series*cap(m.series) + total*cap(m.totals)
}
