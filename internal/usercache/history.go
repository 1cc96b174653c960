package usercache

import (
	"cmp"
	"slices"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry/table"
)

// History is a user's stays, due instants and facts about signals, as the last transaction left
// them. It is a [table.Memory].
//
// The caller who fills a new one may change it. Once it is in the cache, only [History.After]
// changes it, which the holder of the user's lock calls after claiming the user.
type History struct {
	registry *table.Registry
	complete bool // complete says that signals which may be cached and are not here never occurred
	latest   table.Instant
	stays    []stay       // stays are the latest in each bucket that the user ever was in
	due      []decide.Due // due are the due instants in the database

	series   []series // series are sorted
	instants []table.Instant
	totals   []total // totals are sorted
}

// stay is a decide.Stay without what is of no use to later decisions.
type stay struct {
	bucket                                table.BucketIndex
	blocked                               bool
	entryCount                            int
	enteredAt, leftAt, anchorAt, tickedAt table.Instant
}

func stayOf(s *decide.Stay) stay {
	return stay{s.Bucket, s.Blocked, s.EntryCount, s.EnteredAt, s.LeftAt, s.AnchorAt, s.TickedAt}
}

func (s *stay) decided() decide.Stay {
	return decide.Stay{
		Bucket: s.bucket, EntryCount: s.entryCount, EnteredAt: s.enteredAt, LeftAt: s.leftAt, AnchorAt: s.anchorAt,
		TickedAt: s.tickedAt, Blocked: s.blocked,
	}
}

// series are the newest instants of a signal, as many as the signal's row asks for.
type series struct {
	signal table.SignalIndex
	begin  int32 // begin is an index into the instants of the history
}

type total struct {
	signal      table.SignalIndex
	count       int
	first, last table.Instant
}

// MaxStays and MaxEvents bound how much of a user is read to be cached: rows of stays, and events
// of a log whose registry is [Cache.Complete]. A user who has as many stays is not cached.
const (
	MaxStays  = 256
	MaxEvents = 512
)

// The bounds of what is cached of signals: instants of one, instants of all, and signals.
const (
	maxInstants    = 256
	maxAllInstants = 1024
	maxSignals     = 64
)

// cachesNewest and cachesTotal report whether a signal's newest instants, or totals, are cached.
// They are if they carry no values.
func cachesNewest(row *table.Signal) bool {
	return row.Newest > 0 && row.Newest <= maxInstants && row.Distinct == table.DistinctNone
}

func cachesTotal(row *table.Signal) bool { return row.Totals && row.Field == table.NoField }

// Complete reports whether a history holds everything that criteria can ask about signals, and
// whether that is little enough to be read at once.
func (c *Cache) Complete() bool { return c.complete }

func isComplete(r *table.Registry) bool {
	instants := 0
	for i := range r.Signals {
		row := &r.Signals[i]
		instants += row.Newest
		newest := row.Newest == 0 || cachesNewest(row) && row.Plain()
		totals := !row.Totals || cachesTotal(row)
		if !newest || !totals || len(row.Sums)+len(row.Ago) > 0 {
			return false
		}
	}
	return len(r.Signals) <= maxSignals && instants <= maxAllInstants && len(r.Sequences) == 0
}

// NewHistory returns the history of a user who has none. If it is complete, the caller adds
// everything that ever happened; otherwise what is not added counts as unknown.
func (c *Cache) NewHistory(complete bool) *History {
	return &History{registry: c.registry, complete: complete, latest: table.Unset}
}

// Complete reports whether the history has all facts about signals that can be cached.
func (h *History) Complete() bool { return h.complete }

// SetIncomplete notes that facts about signals are missing.
func (h *History) SetIncomplete() { h.complete = false }

// AppendNewest is part of [table.Memory].
func (h *History) AppendNewest(to []table.Dated, s table.SignalIndex) ([]table.Dated, bool) {
	row := &h.registry.Signals[s]
	if !cachesNewest(row) {
		return to, false
	}
	i, known := h.findSeries(s)
	if !known {
		return to, h.complete
	}
	for _, at := range h.instants[h.series[i].begin:][:row.Newest] {
		if at == table.Unset {
			break
		}
		to = append(to, table.Dated{At: at})
	}
	return to, true
}

// findSeries returns the index of a signal's series, or the one where it belongs.
func (h *History) findSeries(s table.SignalIndex) (int, bool) {
	return slices.BinarySearchFunc(h.series, s, func(r series, s table.SignalIndex) int { return cmp.Compare(r.signal, s) })
}

// findTotal returns the index of a signal's total, or the one where it belongs.
func (h *History) findTotal(s table.SignalIndex) (int, bool) {
	return slices.BinarySearchFunc(h.totals, s, func(t total, s table.SignalIndex) int { return cmp.Compare(t.signal, s) })
}

// Total is part of [table.Memory].
func (h *History) Total(s table.SignalIndex) (table.Total, bool) {
	if !cachesTotal(&h.registry.Signals[s]) {
		return table.NoTotal, false
	}
	i, known := h.findTotal(s)
	if !known {
		return table.NoTotal, h.complete
	}
	t := &h.totals[i]
	return table.Total{Count: t.count, First: t.first, Last: t.last}, true
}

// Latest is part of [table.Memory].
func (h *History) Latest() table.Instant { return h.latest }

// AppendStays appends copies of the stays.
func (h *History) AppendStays(to []decide.Stay) []decide.Stay {
	for i := range h.stays {
		to = append(to, h.stays[i].decided())
	}
	return to
}

// AppendDue appends the due instants.
func (h *History) AppendDue(to []decide.Due) []decide.Due { return append(to, h.due...) }

// Has reports whether a fact is in the history. It may be called without the user's lock. It
// therefore reads nothing that [History.After] changes.
func (h *History) Has(n table.Need) bool {
	switch n.Kind {
	case table.NeedNewest:
		if h.complete {
			return cachesNewest(&h.registry.Signals[n.Signal])
		}
		_, known := h.findSeries(n.Signal)
		return known
	case table.NeedTotals:
		if h.complete {
			return cachesTotal(&h.registry.Signals[n.Signal])
		}
		_, known := h.findTotal(n.Signal)
		return known
	default:
		return false
	}
}

// AddStay adds a stay. Those of a bucket are added one after the other, the latest first: only that
// one is kept.
func (h *History) AddStay(s decide.Stay) {
	if n := len(h.stays); n == 0 || h.stays[n-1].bucket != s.Bucket {
		h.stays = append(h.stays, stayOf(&s))
	}
}

// AddDue adds a due instant.
func (h *History) AddDue(d decide.Due) { h.due = append(h.due, d) }

// AddNewest adds the newest instants of a signal, the last one first. There is at least one.
func (h *History) AddNewest(s table.SignalIndex, newest []table.Dated) {
	h.latest = max(h.latest, newest[0].At)
	h.setNewest(s, newest)
}

// AddTotal adds the total of a signal.
func (h *History) AddTotal(s table.SignalIndex, t table.Total) {
	h.latest = max(h.latest, t.Last)
	h.setTotal(s, t)
}

// After returns the history after a session, whose user the caller has claimed. A complete history
// is changed. Of another one it changes a copy, because a caller without the lock may be in
// [History.Has].
func (h *History) After(st *decide.State) *History {
	if !h.complete {
		other := *h
		other.stays, other.due = nil, nil
		other.series, other.instants, other.totals = slices.Clone(h.series), slices.Clone(h.instants), slices.Clone(h.totals)
		h = &other
	}
	h.latest = max(h.latest, st.Facts.Newest())
	h.stays = h.stays[:0]
	for i := range st.Stays {
		if st.Stays[i].EntryCount > 0 {
			h.stays = append(h.stays, stayOf(&st.Stays[i]))
		}
	}
	h.due = st.AppendStored(h.due[:0])
	st.Facts.Learn(h.setNewest, h.setTotal)
	return h
}

func (h *History) setNewest(s table.SignalIndex, newest []table.Dated) {
	row := &h.registry.Signals[s]
	if !cachesNewest(row) {
		return
	}
	i, known := h.findSeries(s)
	if !known {
		if h.complete && len(newest) == 0 {
			return
		}
		h.series = slices.Insert(h.series, i, series{s, int32(len(h.instants))})
		h.instants = slices.Grow(h.instants, row.Newest)[:len(h.instants)+row.Newest]
	}
	into := h.instants[h.series[i].begin:][:row.Newest]
	for k := range into {
		into[k] = table.Unset
		if k < len(newest) {
			into[k] = newest[k].At
		}
	}
}

func (h *History) setTotal(s table.SignalIndex, t table.Total) {
	if !cachesTotal(&h.registry.Signals[s]) || h.complete && t.Count == 0 {
		return
	}
	i, known := h.findTotal(s)
	if !known {
		h.totals = slices.Insert(h.totals, i, total{})
	}
	h.totals[i] = total{s, t.Count, t.First, t.Last}
}

// size estimates the bytes that the history takes.
func (h *History) size() int {
	if h == nil {
		return 0
	}
	const fixed, stay, due, series, total = 200, 56, 32, 8, 32
	return fixed + stay*cap(h.stays) + due*cap(h.due) + 8*cap(h.instants) + series*cap(h.series) + total*cap(h.totals)
}
