// Package resolve decides whose the ids of an event are: which contact the event is about, and what
// becomes of each id. It knows nothing of databases; the engine and the simulator both ask it.
//
// An id has a kind and a value, and a name: the text by which everything else knows it. The name of
// a user id is the user id. The name of any other id begins with [sentinel], which no user id does,
// so that ids of different kinds never collide. A contact goes by one of these names, and its kind
// says what the contact is.
package resolve

import (
	"strconv"
	"strings"
)

// The kinds of ids, beside those that a program declares.
const (
	User      = "user"
	Email     = "email"
	Anonymous = "anonymous"

	// Shared is the kind of the contact of an id that several users have used. No event carries an
	// id of this kind. Its value is the name of that id.
	Shared = "shared"
)

// sentinel begins the name of an id that is not a user id, and ends its kind.
const sentinel = "\x01"

// Name returns the name of an id.
func Name(kind, value string) string {
	if kind == User {
		return value
	}
	return sentinel + kind + sentinel + value
}

// Parse returns the kind and the value of the id with a name.
func Parse(name string) (kind, value string) {
	rest, reserved := strings.CutPrefix(name, sentinel)
	if !reserved {
		return User, name
	}
	kind, value, _ = strings.Cut(rest, sentinel)
	return kind, value
}

// Ended returns the name under which the rows of a contact are kept for a while that went by a
// name and has expired. No event finds it.
func Ended(name string, contact int64) string {
	return name + sentinel + strconv.FormatInt(contact, 10)
}

// Shown returns the name by which a contact is known outside: the one that it went by, if it has
// expired.
func Shown(name string) string {
	kind, value := Parse(name)
	if kind == Shared {
		return Name(Shared, Shown(value))
	}
	if kind != User {
		value, _, _ = strings.Cut(value, sentinel)
	}
	return Name(kind, value)
}

// Public returns the kind and the value of the id that stands for the contact with a name outside:
// that of a shared id is the id itself.
func Public(name string) (kind, value string) {
	kind, value = Parse(Shown(name))
	if kind == Shared {
		return Parse(value)
	}
	return kind, value
}

// Split returns the id that a contact goes by as events carry it: one of a user id, an anonymous
// id, and an id of another kind.
func Split(name string) (userID, anonymousID string, ids map[string]string) {
	switch kind, value := Public(name); kind {
	case User:
		return value, "", nil
	case Anonymous:
		return "", value, nil
	default:
		return "", "", map[string]string{kind: value}
	}
}

// Join returns the name of an id that [Split] has returned.
func Join(userID, anonymousID string, ids map[string]string) string {
	for kind, value := range ids {
		return Name(kind, value)
	}
	if userID == "" && anonymousID != "" {
		return Name(Anonymous, anonymousID)
	}
	return userID
}

// Text returns the id that a contact goes by as text for people, and for lists that have one text
// for each user: the user id, or the kind and the value.
func Text(name string) string {
	kind, value := Public(name)
	if kind == User {
		return value
	}
	return kind + ":" + value
}

// NonUserKind returns the kind of the id that a contact goes by, or nothing if that is a user id.
func NonUserKind(name string) string {
	if !IsReserved(name) {
		return ""
	}
	kind, _ := Public(name)
	return kind
}

// IsReserved reports whether a text cannot be a user id, because the names of other ids begin so.
func IsReserved(text string) bool { return strings.HasPrefix(text, sentinel) }

// Rank is how well a contact is known. It never goes down.
type Rank int

// The ranks. A lead has an e-mail address or a declared id, and no user id.
const (
	Visitor Rank = iota
	Lead
	Known
)

// RankOf returns the rank of the contact that goes by a name.
func RankOf(name string) Rank {
	switch kind, value := Parse(name); kind {
	case User:
		return Known
	case Anonymous:
		return Visitor
	case Shared:
		return RankOf(value)
	default:
		return Lead
	}
}

// IsVisitor reports whether the contact that goes by a name has no id but anonymous ones.
func IsVisitor(name string) bool { return IsReserved(name) && RankOf(name) == Visitor }

// IsShared reports whether the contact that goes by a name is that of a shared id. It is never
// merged.
func IsShared(name string) bool {
	kind, _ := Parse(name)
	return kind == Shared
}
