package table

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// SignalIndex is the position of a signal in its registry.
type SignalIndex int32

// Signal is a row of the table of signals. A signal is what criteria ask about an event: all of its
// occurrences, or those that pass a filter. The filter runs once, when the event arrives, for all
// buckets that ask. Equal signals of different buckets share a row.
type Signal struct {
	Key      string // in the database; it does not depend on the rest of the registry
	Event    EventIndex
	Filter   []Node     // of payload Fields; empty if every occurrence passes
	Field    FieldIndex // whose value is stored with each occurrence, or NoField
	Distinct Distinct   // which occurrences are one: only the newest of those counts
	Zone     string     // in which days begin, for DistinctDays
	Newest   int        // how many of the newest instants up to the end of a window criteria need
	Totals   bool       // criteria ask about all occurrences ever
	Sums     []Window   // over which criteria ask for the sum of the field
	Ago      []Window   // that end some time ago, in which criteria count

	Sequences []SequenceIndex // of which the signal is a step, sorted
}

// Plain reports whether every occurrence of the event passes and no field of it is stored. Then the
// log has everything.
func (s *Signal) Plain() bool {
	return len(s.Filter) == 0 && s.Field == NoField && s.Distinct == DistinctNone
}

// Distinct says which occurrences of a signal are one.
type Distinct uint8

// The ways in which occurrences are distinct.
const (
	DistinctNone   Distinct = iota // each is one
	DistinctValues                 // by the value of the field
	DistinctDays                   // by the day in a zone
)

// FieldIndex is the position of a payload property in its registry. The conditions of a filter name
// it where those of a criteria name a property.
type FieldIndex = PropertyIndex

// NoField is the position of a payload property that no criteria asks about.
const NoField FieldIndex = -1

// Field is a row of the table of payload properties that filters and aggregates ask about.
type Field struct {
	Event EventIndex
	Name  string
	Path  []string  // to the value, through objects; empty: the field itself
	Type  ValueKind // Missing if none is declared
}

// groupOf names the group of a value. The name is part of a key in the database, so its length is
// limited.
func groupOf(v Value) string {
	const most = 256
	name := v.String()
	if len(name) > most {
		sum := sha256.Sum256([]byte(name))
		return "sha256 " + hex.EncodeToString(sum[:])
	}
	return name
}

// value returns the value of the field in a payload.
func (f *Field) value(lookup func(name string) Value) Value {
	v := lookup(f.Name)
	if len(f.Path) > 0 {
		v = inside(v.object(), f.Path)
	}
	return v.as(f.Type)
}

// Occurrence is one occurrence of a signal.
type Occurrence struct {
	Signal SignalIndex
	At     Instant
	Value  Value  // of the field
	Group  string // of a distinct signal
}

// Occurrences appends the occurrences that an event is: one for each signal whose filter it passes.
// lookup returns the value of a payload property.
func (r *Registry) Occurrences(dst []Occurrence, e EventIndex, at Instant, lookup func(name string) Value) []Occurrence {
	if e == NoEvent {
		return dst
	}
	var values []Value
	for i := r.firstField(e); i < len(r.Fields) && r.Fields[i].Event == e; i++ {
		if values == nil {
			values = make([]Value, len(r.Fields))
		}
		values[i] = r.Fields[i].value(lookup)
	}
	payload := Facts{now: at, registry: r, fields: values, complete: true}
	for _, s := range r.Events[e].Signals {
		row := &r.Signals[s]
		if len(row.Filter) > 0 && !payload.evaluate(row.Filter).True {
			continue
		}
		o := Occurrence{Signal: s, At: at}
		if row.Field != NoField {
			o.Value = values[row.Field]
		}
		switch row.Distinct {
		case DistinctNone:
		case DistinctValues:
			if k := o.Value.Kind; k == Missing || k == Composite || k == List {
				continue
			}
			o.Group = groupOf(o.Value)
		case DistinctDays:
			o.Group = dateOf(row.Zone, at)
		}
		dst = append(dst, o)
	}
	return dst
}

// Need is a fact that was asked for and is not loaded.
type Need struct {
	Kind     NeedKind
	Signal   SignalIndex
	Position int // of a sum or a past window, in its signal

	Sequence SequenceIndex // of the kinds about a sequence
	Key      string        // of a progress or of recent steps
	// At is the first instant at which a past window is asked for, the instant around which recent
	// steps are, or the one after which open chains ended.
	At Instant
}

// Later returns the need as it is after the time by has passed.
func (n Need) Later(by Instant) Need {
	if n.Kind == NeedPastWindow || n.Kind == NeedOpen && n.At != Unset {
		n.At += by
	}
	return n
}

// NeedKind is the kind of a fact.
type NeedKind uint8

// The kinds of facts that are loaded when they are needed.
const (
	NeedNewest     NeedKind = iota // the newest instants of a signal
	NeedTotals                     // its totals
	NeedSum                        // one of its sums
	NeedPastWindow                 // occurrences around the end of one of its windows in Ago

	NeedProgress    // how far the user has come in a sequence with a key
	NeedRecentSteps // its events around a late one
	NeedCompletion  // when it was last completed, with whatever key
	NeedOpen        // its chains that are open
)

// Compare orders needs.
func (n Need) Compare(m Need) int {
	return cmp.Or(cmp.Compare(n.Signal, m.Signal), cmp.Compare(n.Kind, m.Kind), cmp.Compare(n.Position, m.Position),
		cmp.Compare(n.Sequence, m.Sequence), cmp.Compare(n.Key, m.Key), cmp.Compare(n.At, m.At))
}

// Needs returns the facts that a bucket's criteria asks for at instant 0, sorted. See [Need.Later].
func (r *Registry) Needs(b BucketIndex) []Need {
	facts := r.NewFacts("")
	nodes := r.Buckets[b].Criteria
	for i := range nodes {
		if nodes[i].Op.IsSignal() || nodes[i].Op.IsSequence() {
			facts.evaluate(nodes[i:])
		}
	}
	return facts.Lacks()
}

// Dated is an instant of a signal. For a distinct signal it is the newest of its group.
type Dated struct {
	At    Instant
	Group string
}

// series is the newest instants of a signal, newest first.
type series struct {
	signal   SignalIndex
	recalled bool // equal to the cached one
	newest   []Dated
}

// SetNewest sets the newest instants of a signal, newest first, as many as the registry needs. The
// slice is kept.
func (f *Facts) SetNewest(s SignalIndex, newest []Dated) {
	if have := f.series(s); have != nil {
		have.newest, have.recalled = newest, false
		return
	}
	f.all.put(s, series{signal: s, newest: newest})
}

// Add adds an occurrence to the loaded facts. A fact that is not loaded stays so: a criteria that
// asks for it records a need, and the caller loads it and evaluates again. Sums record a need at
// once.
func (f *Facts) Add(o Occurrence) {
	row := &f.registry.Signals[o.Signal]
	if row.Newest > 0 {
		f.addNewest(row, o)
	}
	if row.Totals {
		f.addTotal(o)
	}
	f.addSums(row, o)
	f.addPastWindows(row, o)
}

func (f *Facts) addNewest(row *Signal, o Occurrence) {
	have := f.series(o.Signal)
	if have == nil {
		if !f.complete {
			return
		}
		have = f.all.put(o.Signal, series{signal: o.Signal})
	}
	have.recalled = false
	if row.Distinct != DistinctNone {
		if i := slices.IndexFunc(have.newest, func(d Dated) bool { return d.Group == o.Group }); i >= 0 {
			if have.newest[i].At >= o.At {
				return
			}
			have.newest = slices.Delete(have.newest, i, i+1)
		}
	}
	// Of occurrences at one instant the order does not matter: criteria see nothing but the
	// instants.
	i, _ := slices.BinarySearchFunc(have.newest, o.At, func(d Dated, at Instant) int { return order(at, d.At) })
	have.newest = slices.Insert(have.newest, i, Dated{o.At, o.Group})
	if len(have.newest) > row.Newest {
		have.newest = have.newest[:row.Newest]
	}
}

func (f *Facts) series(s SignalIndex) *series {
	if have := f.all.of(s); have != nil {
		return have
	}
	return f.recall(s)
}

// newest returns the newest instants of a signal, as far as they are loaded.
func (f *Facts) newest(s SignalIndex) []Dated {
	if have := f.series(s); have != nil {
		return have.newest
	}
	f.need(Need{Signal: s, Kind: NeedNewest})
	return nil
}

// Total summarizes all occurrences of a signal, however long ago.
type Total struct {
	Count       int
	First, Last Instant // Unset if there was none
	Field       *Ends   // nil if it was always missing; immutable
}

// Ends are the values of the field of a signal at the first and the last occurrence.
type Ends struct{ First, Last Value }

// ends returns the values of the field.
func (t Total) ends() Ends {
	if t.Field == nil {
		return Ends{}
	}
	return *t.Field
}

type total struct {
	Total
	signal   SignalIndex
	recalled bool // equal to the cached one
}

// NoTotal is the total of a signal that never occurred.
var NoTotal = Total{First: Unset, Last: Unset}

// SetTotal sets the total of a signal.
func (f *Facts) SetTotal(s SignalIndex, t Total) {
	// Values are stored without their types.
	if field := f.registry.Signals[s].Field; field != NoField && t.Field != nil {
		typ := f.registry.Fields[field].Type
		t.Field = &Ends{t.Field.First.as(typ), t.Field.Last.as(typ)}
	}
	if have := f.total(s); have != nil {
		have.Total, have.recalled = t, false
		return
	}
	f.totals.put(s, total{Total: t, signal: s})
}

func (f *Facts) addTotal(o Occurrence) {
	have := f.total(o.Signal)
	if have == nil {
		if !f.complete {
			return
		}
		have = f.totals.put(o.Signal, total{Total: NoTotal, signal: o.Signal})
	}
	have.Total, have.recalled = have.With(o), false
}

// With returns the total with one more occurrence, which arrives after those that are in it.
func (t Total) With(o Occurrence) Total {
	ends := t.ends()
	if t.Count == 0 || o.At < t.First {
		t.First, ends.First = o.At, o.Value
	}
	if t.Count == 0 || o.At >= t.Last {
		t.Last, ends.Last = o.At, o.Value
	}
	if t.Field != nil || o.Value.Exists() {
		t.Field = &Ends{ends.First, ends.Last}
	}
	t.Count++
	return t
}

func (f *Facts) total(s SignalIndex) *total {
	if have := f.totals.of(s); have != nil {
		return have
	}
	return f.recallTotal(s)
}

// totalOf returns the total of a signal, as far as it is loaded. It must not be changed.
func (f *Facts) totalOf(s SignalIndex) *Total {
	if have := f.total(s); have != nil {
		return &have.Total
	}
	f.need(Need{Signal: s, Kind: NeedTotals})
	return &NoTotal
}

func (f *Facts) need(n Need) {
	if !f.complete {
		f.lacks = append(f.lacks, n)
	}
}

// Lacks returns the facts that were asked for but not loaded, sorted, without repetition.
func (f *Facts) Lacks() []Need {
	slices.SortFunc(f.lacks, Need.Compare)
	// Of needs that differ in the instant only, the first remains.
	f.lacks = slices.CompactFunc(f.lacks, func(a, b Need) bool {
		if a.Kind != NeedRecentSteps { // each late event needs its own
			a.At = b.At
		}
		return a == b
	})
	return f.lacks
}

// Newest returns the newest known occurrence of any loaded signal or sequence, or Unset. Cached
// facts count as loaded.
func (f *Facts) Newest() Instant {
	newest := Unset
	if f.memory != nil {
		newest = f.memory.Latest()
	}
	for _, s := range f.all.all {
		if len(s.newest) > 0 {
			newest = max(newest, s.newest[0].At)
		}
	}
	for _, t := range f.totals.all {
		newest = max(newest, t.Last)
	}
	for _, s := range f.pastWindows {
		if len(s.At) > 0 {
			newest = max(newest, s.At[len(s.At)-1])
		}
	}
	return max(newest, f.sequences.newest())
}
