package store

import (
	"slices"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry"
)

// further is what is asked about users beyond what is always read: newest occurrences of events, latest stays in buckets.
type further struct {
	eventUsers []string
	events     []registry.Event
	stayUsers  []string
	stays      []registry.Index
}

// add asks for something once, if all that is asked about a user is asked in one go.
func (m *further) add(user string, events []registry.Event, stays []registry.Index) {
	for _, e := range events {
		if !asked(m.eventUsers, m.events, user, e) {
			m.eventUsers, m.events = append(m.eventUsers, user), append(m.events, e)
		}
	}
	for _, b := range stays {
		if !asked(m.stayUsers, m.stays, user, b) {
			m.stayUsers, m.stays = append(m.stayUsers, user), append(m.stays, b)
		}
	}
}

func asked[T comparable](users []string, things []T, user string, thing T) bool {
	for i := len(users) - 1; i >= 0 && users[i] == user; i-- {
		if things[i] == thing {
			return true
		}
	}
	return false
}

// expect asks for what a session is likely to need, so that it need not be asked for later. Which buckets will be looked
// at depends on the properties of the user, so it goes by those that are remembered. Nothing rests on that being right.
func (s *Store) expect(m *further, user string, known *remembered, e *decide.Event) {
	if known == nil {
		if e.Event != registry.NoEvent {
			m.add(user, s.always[e.Event], nil)
		}
		return
	}
	facts := s.registry.NewFactsWith(known.values)
	carried := registry.Carried{Event: e.Event}
	for _, f := range e.Traits.Fields {
		if p, declared := s.registry.Property(f.Key); declared {
			carry(facts, &carried, p, f.Whole())
		}
	}
	for _, f := range e.Properties.Fields {
		if p, declared := s.registry.PayloadProperty(f.Key); declared {
			carry(facts, &carried, p, f.Whole())
		}
	}
	candidates := s.registry.Candidates(nil, carried, facts, nil)
	for _, b := range candidates {
		m.add(user, s.registry.Buckets[b].Events, nil)
	}
	m.add(user, nil, candidates)
}

func carry(facts *registry.Facts, c *registry.Carried, p registry.Property, v registry.Value) {
	facts.SetProperty(p, v)
	c.Properties = append(c.Properties, p)
}

// always lists, for each event, the events of the buckets that are candidates whatever the user's properties are.
func always(r *registry.Registry) [][]registry.Event {
	lists := make([][]registry.Event, len(r.Events))
	for e := range r.Events {
		for _, b := range r.ByEvent[e].Always {
			lists[e] = append(lists[e], r.Buckets[b].Events...)
		}
		slices.Sort(lists[e])
		lists[e] = slices.Compact(lists[e])
	}
	return lists
}
