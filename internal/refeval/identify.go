package refeval

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// names returns the names of an ingest's ids, the highest first. That of an id that is no user id
// begins with its kind, between two bytes 1.
func (s *Action) names() []string {
	var all []string
	for _, id := range []struct{ prefix, value string }{{"", s.User}, {"\x01email\x01", asciiLower(s.Email)}, {"\x01anonymous\x01", s.Anonymous}} {
		if value := strings.TrimSpace(id.value); value != "" && !blocked.MatchString(value) {
			all = append(all, id.prefix+value)
		}
	}
	return all
}

// blocked are ids that stand for no one.
var blocked = regexp.MustCompile(`(?i)^([0-]*|-1|null|nil|none|undefined|nan|true|false|anonymous|guest|unknown|id|email|distinct_id|` +
	`\[object object\]|test@test\.com|test@example\.com)$`)

func asciiLower(s string) string {
	out := []byte(s)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return string(out)
}

// visitor reports whether a name is that of a contact that has nothing but anonymous ids.
func visitor(name string) bool {
	return strings.HasPrefix(strings.TrimPrefix(name, sharedPrefix), "\x01anonymous\x01")
}

const sharedPrefix = "\x01shared\x01"

func (u *user) visitor() bool { return visitor(u.name) }

// rank returns 0 for a visitor, 1 for a lead, 2 for a known user.
func rank(name string) int {
	switch {
	case !strings.HasPrefix(name, "\x01"):
		return 2
	case visitor(name):
		return 0
	default:
		return 1
	}
}

// owner returns the name of the user that an id leads to, or nothing.
func (w *world) owner(id string) string {
	if name, leads := w.aliases[id]; leads {
		return name
	}
	if w.users[id] != nil {
		return id
	}
	return ""
}

// subject does what the ids of an ingest ask for, and returns whose it is.
func (w *world) subject(s *Action) string {
	w.joined = false
	ids := s.names()
	movable := func(owner string) bool {
		return owner != "" && !strings.HasPrefix(owner, sharedPrefix) && (rank(owner) != 1 || !s.Untrusted)
	}
	is := w.owner(ids[0])
	for _, id := range ids[1:] { // a new id goes to whom a lower one leads to, if it says more
		owner := w.owner(id)
		switch {
		case is != "" || !movable(owner):
		case rank(owner) < rank(ids[0]):
			if is = ids[0]; !w.rename(owner, is, s.At) {
				w.refused[owner] = true
			}
		case rank(owner) == 1 && rank(ids[0]) == 1:
			is = owner
			w.give(ids[0], is, s.At)
		}
	}
	if is == "" {
		is = ids[0]
	}
	var late []string // given to the user after others have become one with them
	for _, id := range ids[1:] {
		owner := w.owner(id)
		switch {
		case w.refused[owner]:
		case owner == "":
			late = append(late, id)
		case owner == is || strings.HasPrefix(owner, sharedPrefix):
		case movable(owner) && rank(owner) < rank(is) && w.tooMany(owner, is):
		case movable(owner) && rank(owner) < rank(is):
			w.joined = w.merge(&Action{At: s.At, User: owner, Into: is}).Merged || w.joined
		case rank(owner) == 2 && visitor(id):
			w.aliases[id] = sharedPrefix + id
		}
	}
	clear(w.refused)
	for _, id := range ids {
		if had, leads := w.given[id]; leads && w.aliases[id] == is {
			w.given[id] = given{had.at, dayOf(s.At)}
		}
	}
	for _, id := range late {
		w.give(id, is, s.At)
	}
	return is
}

// rename gives a user another name, and reports whether it did. All buckets are evaluated: some do
// not include visitors.
func (w *world) rename(from, to string, at time.Time) bool {
	u := w.users[from]
	if u.deleted {
		return false
	}
	u.settleBefore(at)
	delete(w.users, from)
	u.name, u.facts.User = to, to
	w.users[to] = u
	w.realias(from, to, at)
	for i := range w.transitions {
		if t := &w.transitions[i]; t.User == from {
			t.User = to
		}
	}
	u.evaluateAll(at)
	return true
}

// realias lets all ids that lead to a user lead to another name.
func (w *world) realias(from, to string, at time.Time) {
	for id, name := range w.aliases {
		if name == from {
			w.aliases[id] = to
		}
	}
	w.lead(from, to, at)
}

// wrongID says what is wrong with the ids of an ingest, or nothing.
func (s *Action) wrongID() string {
	ids := s.names()
	if len(ids) == 0 {
		return "there is no id"
	}
	if email := strings.TrimSpace(s.Email); email != "" && strings.Count(email, "@") != 1 {
		return "the e-mail address is wrong"
	}
	if slices.ContainsFunc(ids, func(id string) bool { return len(id) > maxUser }) {
		return "an id is too long"
	}
	return ""
}
