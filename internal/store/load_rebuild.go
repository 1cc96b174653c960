package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry/table"
)

// rebuilt is what is derived from the log of a user, derived anew.
type rebuilt struct {
	parts       []table.Derived
	facts       *table.Facts // facts have every event of the log
	occurrences []table.Occurrence
	advances    []table.Advance
}

// rebuild derives anew, from the log, what deployments have changed since each user followed the
// last one, or everything if all is set. It takes one round trip if there are such users.
func (ld *Loaded) rebuild(ctx context.Context, conn Conn, all bool) error {
	if ld.deployment.last == 0 || !ld.deployment.Agreed {
		return nil
	}
	byContact := map[int64]*user{}
	var ask db.EventsOfParams
	for name, u := range ld.users {
		if u.contact == nil || u.created || !all && !ld.deployment.behind(u.generations()) {
			continue
		}
		lost := ld.deployment.lost(u.generations())
		if all {
			lost = ld.store.registry.Derived()
		}
		if len(lost) == 0 && !all { // with all, the history is another in any case: no cache may keep it
			continue
		}
		u.rebuilt = &rebuilt{parts: lost, facts: ld.store.registry.NewFacts(name).Complete()}
		byContact[u.contact.ID] = u
		for _, e := range ld.store.eventsOf(lost) {
			ask.ContactIds, ask.EventNos = append(ask.ContactIds, u.contact.ID), append(ask.EventNos, ld.store.events[e])
		}
	}
	if len(byContact) == 0 {
		return nil
	}
	rows, err := ld.store.Queries(conn).EventsOf(ctx, ask)
	if err != nil {
		return fmt.Errorf("read the log: %w", err)
	}
	for i := range rows {
		u := byContact[rows[i].ContactID]
		if err := u.rebuilt.add(ld.store, &rows[i]); err != nil {
			return fmt.Errorf("read event %d of contact %d: %w", rows[i].ID, rows[i].ContactID, err)
		}
	}
	return nil
}

// eventsOf returns the events that parts are derived from, each once.
func (s *Store) eventsOf(parts []table.Derived) []table.EventIndex {
	var events []table.EventIndex
	for _, k := range parts {
		events = append(events, s.registry.DerivedEvents(k)...)
	}
	slices.Sort(events)
	return slices.Compact(events)
}

// add adds an event of the log.
func (m *rebuilt) add(s *Store, row *db.EventsOfRow) error {
	properties := payload.Object{}
	if row.Properties != nil {
		var err error
		if properties, err = payload.Stored(row.Properties); err != nil {
			return err
		}
	}
	e, known := s.eventOf[row.EventNo]
	if !known {
		return nil
	}
	occurrences := s.registry.Occurrences(nil, e, instant(row.OccurredAt), properties.Value)
	for _, o := range occurrences {
		m.facts.Add(o)
	}
	m.occurrences = append(m.occurrences, occurrences...)
	for _, a := range s.registry.Advances(nil, occurrences) {
		m.facts.Advance(a)
		if s.registry.Sequences[a.Sequence].Span() > 0 {
			m.advances = append(m.advances, a)
		}
	}
	return nil
}

// applyTo replaces the parts in facts.
func (m *rebuilt) applyTo(facts *table.Facts) {
	for _, k := range m.parts {
		facts.Adopt(k, m.facts)
	}
}
