package simulate

import (
	"slices"

	"github.com/bucketgen/bucketgen/internal/resolve"
)

// wake finds out whether a user has expired by now, before something is done by an id of the user:
// the id of a user who has expired is that of a new one.
func (s *Simulator) wake(name string) {
	if u := s.users[name]; u != nil && u.state.Contact.Visitor {
		s.run(name, s.catchUpOne)
	}
}

// end removes an anonymous user who has expired. What happened to them is kept.
func (s *Simulator) end(name string) {
	delete(s.users, name)
	for other, into := range s.aliases {
		if into == name && !resolve.IsShared(name) { // a shared id stays so
			delete(s.aliases, other)
		}
	}
	s.bury(name)
}

// bury keeps what happened by a name that is free from now on.
func (s *Simulator) bury(name string) {
	s.transitions = slices.DeleteFunc(s.transitions, func(t Transition) bool {
		if t.User == name {
			s.past = append(s.past, t)
		}
		return t.User == name
	})
}
