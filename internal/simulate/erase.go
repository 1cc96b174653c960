package simulate

import (
	"slices"

	"github.com/bucketgen/bucketgen/internal/resolve"
)

// Erase deletes everything about a user, by any of their names, and about those who have expired
// under it. It reports whether there was anything. A user who comes back starts afresh, in the next
// life of the name. An id that users share stays shared.
func (s *Simulator) Erase(user string) bool {
	s.wake(s.Name(user))
	name := s.Name(user)
	known := s.users[name] != nil
	names := []string{name}
	for other, into := range s.aliases {
		if into == name && !resolve.IsShared(name) {
			names = append(names, other)
			delete(s.aliases, other)
		}
	}
	if known {
		for _, gone := range names {
			s.lives[gone]++
		}
	}
	delete(s.users, name)
	all := len(s.transitions) + len(s.past)
	erased := func(t Transition) bool { return slices.Contains(names, t.User) }
	s.transitions, s.past = slices.DeleteFunc(s.transitions, erased), slices.DeleteFunc(s.past, erased)
	return known || len(s.transitions)+len(s.past) < all
}

// life returns the life that a user begins who is created: 0 is the first.
func (s *Simulator) life(name string) int {
	if erased := s.lives[name]; erased > 0 {
		return erased + 1
	}
	return 0
}
