package simulate

import (
	"cmp"
	"slices"

	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/registry/table"
)

// lastSeen is when an id of a user was seen last, by the day, and when it became the user's.
type lastSeen struct{ seen, added table.Instant }

// LimitIDs bounds how many ids a user may have. It is called before the first event.
func (s *Simulator) LimitIDs(l resolve.Limits) { s.ids = l }

// see notes that those of some ids that are a user's were seen now.
func (s *Simulator) see(names []string, user string) {
	for _, name := range names {
		if s.aliases[name] == user {
			s.seenAt[name] = lastSeen{resolve.Day(s.now), s.seenAt[name].added}
		}
	}
}

// attach gives an id to a user who has few of its kind.
func (s *Simulator) attach(name, user string) {
	kind, _ := resolve.Parse(name)
	if kind != resolve.Anonymous && len(s.idsOf(user, kind)) >= s.ids.Most(kind) {
		return
	}
	s.point(name, user)
	s.trim(user)
}

// point lets an id lead to a user from now on.
func (s *Simulator) point(name, user string) {
	s.aliases[name], s.seenAt[name] = user, lastSeen{resolve.Day(s.now), s.now}
}

// idsOf returns the ids of a kind that a user has, with the one by which the user goes.
func (s *Simulator) idsOf(user, kind string) []string {
	var all []string
	for name, of := range s.aliases {
		if k, _ := resolve.Parse(name); of == user && k == kind {
			all = append(all, name)
		}
	}
	if k, _ := resolve.Parse(user); k == kind {
		all = append(all, user)
	}
	return all
}

// trim detaches the anonymous ids of a user that were seen longest ago, beyond the limit. They are
// ids of new users then.
func (s *Simulator) trim(user string) {
	all := s.idsOf(user, resolve.Anonymous)
	excess := len(all) - s.ids.Most(resolve.Anonymous)
	if excess <= 0 {
		return
	}
	all = slices.DeleteFunc(all, func(name string) bool { return name == user })
	slices.SortFunc(all, func(a, b string) int {
		x, y := s.seenAt[a], s.seenAt[b]
		return cmp.Or(cmp.Compare(x.seen, y.seen), cmp.Compare(x.added, y.added), cmp.Compare(a, b))
	})
	for _, name := range all[:min(excess, len(all))] {
		delete(s.aliases, name)
		delete(s.seenAt, name)
		s.bury(name)
	}
}

// exceeds reports whether two users have more ids of a kind together than one may. Of anonymous ids
// a merge detaches some.
func (s *Simulator) exceeds(from, into string) bool {
	kinds := []string{resolve.Email}
	for kind := range s.ids.Declared {
		kinds = append(kinds, kind)
	}
	return slices.ContainsFunc(kinds, func(kind string) bool {
		moving := len(s.idsOf(from, kind))
		return moving > 0 && moving+len(s.idsOf(into, kind)) > s.ids.Most(kind)
	})
}
