package decide

import (
	"slices"

	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Event is one validated ingest: something that the user did, properties of the user, or both.
type Event struct {
	Kind       EventKind
	Name       string           // of a track
	Event      table.EventIndex // position of the name in the registry, or NoEvent
	NameNo     int32            // number of the name in the database; 0: not yet resolved, or no name
	Key        string           // idempotency key, if any
	OccurredAt table.Instant
	Properties payload.Object // payload of the event
	Traits     payload.Object // properties to set on the contact
	Once       payload.Object // properties to set on the contact where it has none of that name
}

// EventKind is the kind of an ingest.
type EventKind string

// The kinds of ingests. A track has a name; an identify only carries traits. An observe is a track
// whose payload sets no properties of the user.
const (
	Track    EventKind = "track"
	Observe  EventKind = "observe"
	Identify EventKind = "identify"
)

// Named reports whether the ingest is an event, which has a name.
func (k EventKind) Named() bool { return k != Identify }

// Sets returns the declared property that a key of the payload sets, if any.
func (e *Event) Sets(r *table.Registry, key string) (table.PropertyIndex, bool) {
	if e.Kind == Observe {
		return 0, false
	}
	return r.PayloadProperty(key)
}

// Ingest applies an event at the clock's time, after what was due before. OccurredAt may be Unset
// for now; a later instant counts as now.
func (s *Session) Ingest(e Event, clock table.Instant) Result {
	duplicate := false
	var refused *Refusal
	result := s.step(func() {
		if !s.advance(clock) {
			return
		}
		if duplicate = e.Key != "" && s.state.seen(e.Key); duplicate {
			return
		}
		e.fill(&s.state.Contact.Properties)
		if refused = s.refusal(&e); refused == nil {
			s.ingest(e)
		}
	})
	result.Duplicate, result.Refused = duplicate, refused
	return result
}

func (s *Session) ingest(e Event) {
	if e.Key != "" {
		s.state.Seen = append(s.state.Seen, e.Key)
	}
	if e.OccurredAt == table.Unset || e.OccurredAt > s.now {
		e.OccurredAt = s.now
	}
	s.changes.Events = append(s.changes.Events, Logged{e, s.now})
	s.occur(&e)
	s.postponeExpiry()
	if s.state.Contact.Deleted {
		return
	}
	carried := table.Change{Event: e.Event, Newcomer: s.state.Contact.New}
	s.state.Contact.New = false
	for _, f := range e.Traits.Fields {
		p, declared := s.registry.Property(f.Key)
		s.carry(&carried, f, p, declared, e.OccurredAt)
	}
	for _, f := range e.Properties.Fields {
		// A declared property in a payload is stored, so that the clock later sees the same value.
		if p, declared := e.Sets(s.registry, f.Key); declared {
			s.carry(&carried, f, p, declared, e.OccurredAt)
		}
	}
	s.found = s.registry.Candidates(s.found[:0], carried, s.state.Facts, s.memberships())
	if more := s.outOfStep(carried); len(more) > 0 {
		s.found = sorted(append(s.found, more...))
	}
	s.changes.Candidates += len(s.found)
	s.round(s.found, s.now, byEvent())
}

// fill adds to the traits of an event those that are set once, where the user has no property of
// that name. From here on, and in the log, they are traits like any other.
func (e *Event) fill(has *payload.Properties) {
	if len(e.Once.Fields) == 0 {
		return
	}
	given := keys{}
	for _, f := range e.Traits.Fields {
		given.add(f.Key)
	}
	fields := slices.Clone(e.Traits.Fields)
	for _, f := range e.Once.Fields {
		if f.Value.Exists() && !given.has(f.Key) && !has.Get(f.Key).Value.Exists() {
			fields = append(fields, f)
		}
	}
	if len(fields) > len(e.Traits.Fields) {
		e.Traits = payload.Object{Fields: fields, Raw: payload.AppendObject(nil, fields)}
	}
	e.Once = payload.Object{}
}

// carry sets a property of the contact as of a date, and adds it to what the event carries: as
// changed or as repeated, by what criteria see.
func (s *Session) carry(c *table.Change, f payload.Field, p table.PropertyIndex, declared bool, at table.Instant) {
	changed := s.set(f, p, declared, at)
	switch {
	case !declared:
	case changed:
		c.Properties = append(c.Properties, p)
	default:
		c.Repeated = append(c.Repeated, p)
	}
}

// outOfStep returns buckets that ask about what the event carries and in which membership may
// differ from the criteria, though the event does not change the criteria: buckets that the user is
// blocked from, and buckets that are due at this very instant.
func (s *Session) outOfStep(c table.Change) []table.BucketIndex {
	var buckets []table.BucketIndex
	add := func(b table.BucketIndex) {
		row := &s.registry.Buckets[b]
		asks := func(p table.PropertyIndex) bool { return slices.Contains(row.Properties, p) }
		if slices.ContainsFunc(c.Properties, asks) || slices.ContainsFunc(c.Repeated, asks) || slices.Contains(row.Events, c.Event) {
			buckets = append(buckets, b)
		}
	}
	for i := range s.state.Stays {
		if stay := &s.state.Stays[i]; stay.Blocked {
			add(stay.Bucket)
		}
	}
	for i := range s.state.Due {
		if due := &s.state.Due[i]; due.At <= s.now && due.Bucket != Whole {
			add(due.Bucket)
		}
	}
	return buckets
}

// occur adds an event to the signals that it is an occurrence of, and to the sequences that it may
// be a step of.
func (s *Session) occur(e *Event) {
	s.occurred = s.registry.Occurrences(s.occurred[:0], e.Event, e.OccurredAt, e.Properties.Value)
	for _, o := range s.occurred {
		s.state.Facts.Add(o)
		row := &s.registry.Signals[o.Signal]
		if row.Plain() && !row.Totals {
			continue // the log has it
		}
		s.changes.Occurrences = append(s.changes.Occurrences, o)
	}
	for _, a := range s.registry.Advances(nil, s.occurred) {
		s.state.Facts.Advance(a)
		if s.registry.Sequences[a.Sequence].Span() > 0 { // late events need it
			s.changes.Advances = append(s.changes.Advances, a)
		}
	}
}

// memberships returns the buckets that the user is in or blocked from.
func (s *Session) memberships() []table.BucketIndex {
	s.memberOf = s.memberOf[:0]
	for i := range s.state.Stays {
		if stay := &s.state.Stays[i]; stay.Active() || stay.Blocked {
			s.memberOf = append(s.memberOf, stay.Bucket)
		}
	}
	return s.memberOf
}
