package refeval

import (
	"slices"
	"strings"
	"time"
)

// given says when an id was given to its user, and on which day it was seen last.
type given struct{ at, seen time.Time }

func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// lead lets an id lead to a user from an instant on.
func (w *world) lead(id, user string, at time.Time) {
	w.aliases[id] = user
	w.given[id] = given{at, dayOf(at)}
}

// kindOf returns the kind of an id, by what its name begins with.
func kindOf(id string) string {
	if rest, other := strings.CutPrefix(id, "\x01"); other {
		kind, _, _ := strings.Cut(rest, "\x01")
		return kind
	}
	return "user"
}

// count returns how many ids of a kind a user has, with the name.
func (w *world) count(user, kind string) int {
	n := 0
	for id, of := range w.aliases {
		if of == user && kindOf(id) == kind {
			n++
		}
	}
	if kindOf(user) == kind {
		n++
	}
	return n
}

// give gives an id to a user. One more e-mail address than a user may have stays without one; for
// an anonymous id another is given up.
func (w *world) give(id, user string, at time.Time) {
	if kindOf(id) == "email" && w.count(user, "email") >= w.rules.emails() {
		return
	}
	w.lead(id, user, at)
	w.giveUp(user)
}

// giveUp lets the anonymous ids of a user lead nowhere that were seen longest ago, as long as there
// are too many.
func (w *world) giveUp(user string) {
	for w.count(user, "anonymous") > w.rules.anonymous() {
		oldest := ""
		for id, of := range w.aliases {
			if of == user && kindOf(id) == "anonymous" && (oldest == "" || w.isOlder(id, oldest)) {
				oldest = id
			}
		}
		delete(w.aliases, oldest)
		w.free(oldest)
	}
}

func (w *world) isOlder(id, other string) bool {
	a, b := w.given[id], w.given[other]
	switch {
	case !a.seen.Equal(b.seen):
		return a.seen.Before(b.seen)
	case !a.at.Equal(b.at):
		return a.at.Before(b.at)
	default:
		return id < other
	}
}

// free keeps what happened by a name that is that of no user from now on.
func (w *world) free(name string) {
	w.transitions = slices.DeleteFunc(w.transitions, func(t Transition) bool {
		if t.User == name {
			w.past = append(w.past, t)
		}
		return t.User == name
	})
}

// tooMany reports whether a user has an e-mail address, and more together with another than one
// may.
func (w *world) tooMany(user, other string) bool {
	n := w.count(user, "email")
	return n > 0 && n+w.count(other, "email") > w.rules.emails()
}

func (r Rules) anonymous() int {
	if r.Anonymous == 0 {
		return 100
	}
	return r.Anonymous
}

func (r Rules) emails() int {
	if r.Emails == 0 {
		return 5
	}
	return r.Emails
}
