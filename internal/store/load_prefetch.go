package store

import (
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/usercache"
	"github.com/bucketgen/bucketgen/registry/table"
)

// prefetch adds what the session with an event is likely to need, which saves a round trip. Which
// buckets it evaluates depends on the user's properties, and prefetch uses the cached ones. If they
// are outdated, the session lacks facts and reads them later.
func (s *Store) prefetch(m *moreFacts, req *Request, u *user, e *decide.Event) {
	user, known := req.User, u.cached.Properties
	s.prefetchDated(m, req, known, e)
	if s.knowsAll(u) {
		return
	}
	m.cached = u.cached.History
	defer func() { m.cached = nil }()
	s.prefetchAdvances(m, req, e.Event, e.OccurredAt, e.Properties.Value)
	if known == nil {
		if e.Event != table.NoEvent {
			m.needAt(req, s.always[e.Event])
		}
		return
	}
	if e.Event != table.NoEvent {
		m.need(user, s.added[e.Event]...)
	}
	facts := s.registry.NewFactsWith(user, known.Values)
	facts.SetLastChanges(known.Changes)
	carried := table.Change{Event: e.Event}
	for _, f := range e.Traits.Fields {
		if p, declared := s.registry.Property(f.Key); declared {
			carry(facts, &carried, p, f.Whole(), req.CreatedAt)
		}
	}
	for _, f := range e.Properties.Fields {
		if p, declared := e.Sets(s.registry, f.Key); declared {
			carry(facts, &carried, p, f.Whole(), req.CreatedAt)
		}
	}
	for _, b := range s.registry.Candidates(nil, carried, facts, nil) {
		if !s.registry.Closed(b, facts, req.CreatedAt) {
			m.needAt(req, s.needs[b])
			if !u.historyKnown() {
				m.stay(user, b)
			}
		}
	}
}

// prefetchDated adds the last changes of the properties that an event sets, if the event is late:
// older than the newest known change of a property. Of a user who is not cached, that is taken to
// be a minute ago.
func (s *Store) prefetchDated(m *moreFacts, req *Request, known *usercache.Properties, e *decide.Event) {
	const probably = time.Minute
	newest := req.CreatedAt.Add(-probably)
	if known != nil {
		newest = known.WrittenAt
	}
	if e.OccurredAt == table.Unset || e.OccurredAt >= newest {
		return
	}
	for _, f := range e.Traits.Fields {
		if p, declared := s.registry.Property(f.Key); declared {
			m.property(req.User, p)
		}
	}
	for _, f := range e.Properties.Fields {
		if p, declared := e.Sets(s.registry, f.Key); declared {
			m.property(req.User, p)
		}
	}
}

// knowsAll reports whether all facts about a user are cached or being read.
func (s *Store) knowsAll(u *user) bool {
	return s.cache.Complete() && (u.fill != nil || u.cached.History != nil && u.cached.History.Complete())
}

// prefetchOther adds what it takes to apply a deployment, or to evaluate the due buckets.
func (s *Store) prefetchOther(m *moreFacts, req *Request, u *user, d *Deployment) {
	if slices.Contains(req.Due, decide.Whole) {
		m.lastEvents = append(m.lastEvents, req.User)
	}
	switch {
	case req.follows() && u.cached.Properties == nil:
		s.prefetchDeployment(m, req, d)
		return
	case s.knowsAll(u):
		return
	}
	m.cached = u.cached.History
	defer func() { m.cached = nil }()
	for _, b := range req.Due {
		if b != decide.Whole {
			m.needAt(req, s.needs[b])
		}
	}
}

// prefetchDeployment adds what it takes to apply a deployment. It leaves out the latest stays: most
// users do not join, and need none.
func (s *Store) prefetchDeployment(m *moreFacts, req *Request, d *Deployment) {
	if d == nil {
		d = s.deployment.Load()
	}
	for b, frozen := range d.frozen {
		if !frozen && d.since[b] == d.last {
			m.needAt(req, s.needs[b])
		}
	}
}

// prefetchAdvances adds what an event needs in sequences. If the event comes without an instant,
// the time of the request stands in for it; filters on the time may then need other facts.
func (s *Store) prefetchAdvances(m *moreFacts, req *Request, e table.EventIndex, at table.Instant, lookup func(string) table.Value) {
	if len(s.registry.Sequences) == 0 {
		return
	}
	if at == table.Unset {
		at = req.CreatedAt
	}
	for _, a := range s.registry.Advances(nil, s.registry.Occurrences(nil, e, at, lookup)) {
		m.need(req.User, table.Need{Kind: table.NeedProgress, Sequence: a.Sequence, Key: a.Key})
	}
}

func carry(facts *table.Facts, c *table.Change, p table.PropertyIndex, v table.Value, at table.Instant) {
	if facts.Property(p).Equal(v) {
		c.Repeated = append(c.Repeated, p)
		return
	}
	facts.SetLastChange(table.LastChange{Property: p, Was: facts.Property(p), At: at})
	facts.SetProperty(p, v)
	c.Properties = append(c.Properties, p)
}

// needsOf lists the facts that each bucket needs.
func needsOf(r *table.Registry) [][]table.Need {
	lists := make([][]table.Need, len(r.Buckets))
	for b := range r.Buckets {
		lists[b] = r.Needs(table.BucketIndex(b))
	}
	return lists
}

// always lists, for each event, the facts that are needed by buckets that are candidates whatever
// the user's properties are.
func always(r *table.Registry, needs, added [][]table.Need) [][]table.Need {
	lists := make([][]table.Need, len(r.Events))
	for e := range r.Events {
		for _, b := range r.ByEvent[e].Always {
			lists[e] = append(lists[e], needs[b]...)
		}
		lists[e] = append(lists[e], added[e]...)
		slices.SortFunc(lists[e], table.Need.Compare)
		lists[e] = slices.Compact(lists[e])
	}
	return lists
}

// addedTo lists, for each event, the sums that it is added to.
func addedTo(r *table.Registry) [][]table.Need {
	lists := make([][]table.Need, len(r.Events))
	for e := range r.Events {
		for _, signal := range r.Events[e].Signals {
			for place := range r.Signals[signal].Sums {
				lists[e] = append(lists[e], table.Need{Signal: signal, Kind: table.NeedSum, Position: place})
			}
		}
	}
	return lists
}
