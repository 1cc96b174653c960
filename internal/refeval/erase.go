package refeval

import (
	"maps"
	"slices"
	"strings"
)

// erase removes a user, with all that happened under any name of theirs. Who comes by such a name
// is a new user. An id that users share stays shared.
func (w *world) erase(name string) {
	delete(w.users, name) // there may be none, but former ones who have expired
	names := []string{name}
	maps.DeleteFunc(w.aliases, func(other, into string) bool {
		if strings.HasPrefix(into, sharedPrefix) {
			return false
		}
		if into == name {
			names = append(names, other)
		}
		return into == name
	})
	erased := func(user string) bool { return slices.Contains(names, user) }
	w.transitions = slices.DeleteFunc(w.transitions, func(t Transition) bool { return erased(t.User) })
	w.past = slices.DeleteFunc(w.past, func(t Transition) bool { return erased(t.User) })
	w.merged = slices.DeleteFunc(w.merged, func(u *user) bool { return erased(u.name) })
	w.gone = slices.DeleteFunc(w.gone, func(u *user) bool { return erased(u.name) })
}
