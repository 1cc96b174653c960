package store

import (
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/usercache"
	"github.com/bucketgen/bucketgen/registry"
)

// further is what is asked about users beyond what is always read: facts, latest stays in buckets, and last changes of properties.
type further struct {
	needs      []userNeed
	stays      []userStay
	properties []userProperty
	cached     *usercache.History // cached has facts that are not asked for; nil: none
}

type userNeed struct {
	registry.Need
	user string
}

type userStay struct {
	user   string
	bucket registry.Index
}

// need and stay ask for something once, if all that is asked about a user is asked in one go.
func (m *further) need(user string, needs ...registry.Need) {
	for _, n := range needs {
		if m.cached != nil && m.cached.Has(n) {
			continue
		}
		if !asked(m.needs, userNeed{n, user}, func(other userNeed) bool { return other.user == user }) {
			m.needs = append(m.needs, userNeed{n, user})
		}
	}
}

// needAt asks for facts as they are needed at about the present instant.
func (m *further) needAt(w *Wanted, needs []registry.Need) {
	for _, n := range needs {
		m.need(w.User, n.Later(w.CreatedAt))
	}
}

func (m *further) stay(user string, buckets ...registry.Index) {
	for _, b := range buckets {
		if !asked(m.stays, userStay{user, b}, func(other userStay) bool { return other.user == user }) {
			m.stays = append(m.stays, userStay{user, b})
		}
	}
}

func (m *further) property(user string, p registry.Property) {
	if one := (userProperty{user, p}); !asked(m.properties, one, func(other userProperty) bool { return other.user == user }) {
		m.properties = append(m.properties, one)
	}
}

func asked[T comparable](all []T, one T, own func(T) bool) bool {
	for i := len(all) - 1; i >= 0 && own(all[i]); i-- {
		if all[i] == one {
			return true
		}
	}
	return false
}

// expect asks for what a session is likely to need, so that it need not be asked for later. Which buckets will be looked
// at depends on the properties of the user, so it goes by those that are remembered. Nothing rests on that being right.
func (s *Store) expect(m *further, w *Wanted, u *user, e *decide.Event) {
	user, known := w.User, u.cached.Properties
	s.expectDated(m, w, known, e)
	if s.knowsAll(u) {
		return
	}
	m.cached = u.cached.History
	defer func() { m.cached = nil }()
	s.expectAdvances(m, w, e.Event, e.OccurredAt, e.Properties.Value)
	if known == nil {
		if e.Event != registry.NoEvent {
			m.needAt(w, s.always[e.Event])
		}
		return
	}
	if e.Event != registry.NoEvent {
		m.need(user, s.added[e.Event]...)
	}
	facts := s.registry.NewFactsWith(user, known.Values)
	facts.SetChanges(known.Changes)
	carried := registry.Carried{Event: e.Event}
	for _, f := range e.Traits.Fields {
		if p, declared := s.registry.Property(f.Key); declared {
			carry(facts, &carried, p, f.Whole(), w.CreatedAt)
		}
	}
	for _, f := range e.Properties.Fields {
		if p, declared := e.Sets(s.registry, f.Key); declared {
			carry(facts, &carried, p, f.Whole(), w.CreatedAt)
		}
	}
	for _, b := range s.registry.Candidates(nil, carried, facts, nil) {
		if !s.registry.Closed(b, facts, w.CreatedAt) {
			m.needAt(w, s.needs[b])
			if !u.historyKnown() {
				m.stay(user, b)
			}
		}
	}
}

// expectDated asks for the last changes of the properties that an event sets, if it is late: older than what is known of the
// user's properties, or than what there probably is.
func (s *Store) expectDated(m *further, w *Wanted, known *usercache.Properties, e *decide.Event) {
	const probably = time.Minute
	newest := w.CreatedAt.Add(-probably)
	if known != nil {
		newest = known.WrittenAt
	}
	if e.OccurredAt == registry.Unset || e.OccurredAt >= newest {
		return
	}
	for _, f := range e.Traits.Fields {
		if p, declared := s.registry.Property(f.Key); declared {
			m.property(w.User, p)
		}
	}
	for _, f := range e.Properties.Fields {
		if p, declared := e.Sets(s.registry, f.Key); declared {
			m.property(w.User, p)
		}
	}
}

// knowsAll reports whether all about a user that can be asked is known, or asked for.
func (s *Store) knowsAll(u *user) bool {
	return s.cache.Complete() && (u.fill != nil || u.cached.History != nil && u.cached.History.Complete())
}

// expectOther asks for what it is likely to take to follow a deployment, or to look at what is due.
func (s *Store) expectOther(m *further, w *Wanted, u *user, d *Deployment) {
	switch {
	case w.follows() && u.cached.Properties == nil:
		s.expectStep(m, w, d)
		return
	case s.knowsAll(u):
		return
	}
	m.cached = u.cached.History
	defer func() { m.cached = nil }()
	for _, b := range w.Due {
		m.needAt(w, s.needs[b])
	}
}

// expectStep asks for what following a deployment is likely to need. Latest stays are not among that: of most users it turns
// out that they do not join.
func (s *Store) expectStep(m *further, w *Wanted, d *Deployment) {
	if d == nil {
		d = s.deployment.Load()
	}
	for b, frozen := range d.frozen {
		if !frozen && d.since[b] == d.last {
			m.needAt(w, s.needs[b])
		}
	}
}

func carry(facts *registry.Facts, c *registry.Carried, p registry.Property, v registry.Value, at registry.Instant) {
	if facts.Property(p).Equal(v) {
		c.Repeated = append(c.Repeated, p)
		return
	}
	facts.SetChange(registry.Change{Property: p, Was: facts.Property(p), At: at})
	facts.SetProperty(p, v)
	c.Properties = append(c.Properties, p)
}

// needsOf lists the facts that each bucket asks for.
func needsOf(r *registry.Registry) [][]registry.Need {
	lists := make([][]registry.Need, len(r.Buckets))
	for b := range r.Buckets {
		lists[b] = r.Needs(registry.Index(b))
	}
	return lists
}

// always lists, for each event, the facts that are asked for by buckets that are candidates whatever the user's
// properties are.
func always(r *registry.Registry, needs, added [][]registry.Need) [][]registry.Need {
	lists := make([][]registry.Need, len(r.Events))
	for e := range r.Events {
		for _, b := range r.ByEvent[e].Always {
			lists[e] = append(lists[e], needs[b]...)
		}
		lists[e] = append(lists[e], added[e]...)
		slices.SortFunc(lists[e], registry.Need.Compare)
		lists[e] = slices.Compact(lists[e])
	}
	return lists
}

// addedTo lists, for each event, the sums that it is added to, whatever the bucket that asks for them.
func addedTo(r *registry.Registry) [][]registry.Need {
	lists := make([][]registry.Need, len(r.Events))
	for e := range r.Events {
		for _, signal := range r.Events[e].Signals {
			for place := range r.Signals[signal].Sums {
				lists[e] = append(lists[e], registry.Need{Signal: signal, Kind: registry.NeedSum, Place: place})
			}
		}
	}
	return lists
}
