package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry"
)

// remade is what is kept of a user, made anew from the log.
type remade struct {
	parts       []registry.Kept
	facts       *registry.Facts // to which everything that ever happened was added
	occurrences []registry.Occurrence
	advances    []registry.Advance
}

// Options adds to those of a session what is deployed, for a user who is locked.
func (f *Facts) Options(name string, o decide.Options) decide.Options {
	u := f.users[name]
	o = f.deployment.options(o, u.standing())
	if u.created {
		o.Steps = nil // whoever deployed something in the meantime did not know the user
	}
	return o
}

// Deployment returns what is deployed.
func (f *Facts) Deployment() *Deployment { return f.deployment }

// remake makes anew, from the log, what is kept of users since they were last looked at, or all that is. It takes one round
// trip if there are any.
func (f *Facts) remake(ctx context.Context, conn Conn, all bool) error {
	if f.deployment.last == 0 || !f.deployment.Agreed {
		return nil
	}
	byContact := map[int64]*user{}
	var ask db.EventsOfParams
	for name, u := range f.users {
		if u.contact == nil || u.created || !all && !f.deployment.behind(u.standing()) {
			continue
		}
		lost := f.deployment.lost(u.standing())
		if all {
			lost = f.store.registry.Kept()
		}
		if len(lost) == 0 {
			continue
		}
		u.remade = &remade{parts: lost, facts: f.store.registry.NewFacts(name).Complete()}
		byContact[u.contact.ID] = u
		for _, e := range f.store.eventsOf(lost) {
			ask.ContactIds, ask.EventNos = append(ask.ContactIds, u.contact.ID), append(ask.EventNos, f.store.events[e])
		}
	}
	if len(byContact) == 0 {
		return nil
	}
	rows, err := f.store.Queries(conn).EventsOf(ctx, ask)
	if err != nil {
		return fmt.Errorf("read the log: %w", err)
	}
	for i := range rows {
		u := byContact[rows[i].ContactID]
		if err := u.remade.add(f.store, &rows[i]); err != nil {
			return fmt.Errorf("read event %d of contact %d: %w", rows[i].ID, rows[i].ContactID, err)
		}
	}
	return nil
}

// eventsOf returns the events that parts are made from, without repetition.
func (s *Store) eventsOf(parts []registry.Kept) []registry.Event {
	var events []registry.Event
	for _, k := range parts {
		events = append(events, s.registry.KeptEvents(k)...)
	}
	slices.Sort(events)
	return slices.Compact(events)
}

// add lets an event of the log happen again.
func (m *remade) add(s *Store, row *db.EventsOfRow) error {
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

// tell lets facts know what was made anew.
func (m *remade) tell(facts *registry.Facts) {
	for _, k := range m.parts {
		facts.Adopt(k, m.facts)
	}
}

// addRemade writes what was made anew in place of what was there. Sums and progress are among the changes of the facts.
func (w *Write) addRemade(s *Store, contact int64, m *remade) {
	has := map[registry.Kept]bool{}
	for _, k := range m.parts {
		has[k] = true
		switch k.Kind {
		case registry.KeptTotals:
			w.totalsGone.ContactIds = append(w.totalsGone.ContactIds, contact)
			w.totalsGone.SignalNos = append(w.totalsGone.SignalNos, s.signals[k.Signal])
		case registry.KeptOccurrences:
			w.occurrencesGone.ContactIds = append(w.occurrencesGone.ContactIds, contact)
			w.occurrencesGone.SignalNos = append(w.occurrencesGone.SignalNos, s.signals[k.Signal])
		case registry.KeptSum: // is replaced
		case registry.KeptProgress:
			w.progressGone.ContactIds = append(w.progressGone.ContactIds, contact)
			w.progressGone.SequenceNos = append(w.progressGone.SequenceNos, s.sequences[k.Sequence])
		}
	}
	for _, o := range m.occurrences {
		if has[registry.Kept{Kind: registry.KeptTotals, Signal: o.Signal}] {
			w.addTotal(contact, s.signals[o.Signal], o)
		}
		if has[registry.Kept{Kind: registry.KeptOccurrences, Signal: o.Signal}] {
			w.addOccurrence(s, contact, o)
		}
	}
	var advances []registry.Advance
	for _, a := range m.advances {
		if has[registry.Kept{Kind: registry.KeptProgress, Sequence: a.Sequence}] {
			advances = append(advances, a)
		}
	}
	w.addProgress(s, contact, advances, nil)
}

// addFollowed notes up to which deployment a user is up to date, where that is not so already. A process that has other
// definitions than those that are deployed says so of users whom it changes, and leaves them to others.
func (w *Write) addFollowed(d *Deployment, u *user, changed bool) {
	contact, was := u.contact.ID, u.standing()
	is := was
	switch {
	case d.behind(was) || u.queued && d.Agreed:
		is = standing{d.No, many}
	case !d.Agreed && changed && d.Own < was.stranger:
		is.stranger = d.Own
		w.setDue(contact, queued, u.contact.UpdatedAt)
	}
	if u.queued && d.Agreed {
		w.dueForget.ContactIds = append(w.dueForget.ContactIds, contact)
		w.dueForget.BucketNos = append(w.dueForget.BucketNos, queued)
	}
	if is != was {
		stranger := is.stranger
		if stranger == many {
			stranger = -1
		}
		w.followed.ContactIds = append(w.followed.ContactIds, contact)
		w.followed.Generations = append(w.followed.Generations, is.followed)
		w.followed.Strangers = append(w.followed.Strangers, stranger)
	}
}

// standing returns how far a user has come who is locked.
func (u *user) standing() standing {
	if u.contact.Stranger == nil {
		return standing{u.contact.Generation, many}
	}
	return standing{u.contact.Generation, *u.contact.Stranger}
}
