package event

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// IDRules say which ids events may carry. The zero value takes the defaults.
type IDRules struct {
	// Limits say how many ids of a kind a contact may have, and which kinds a program declares.
	Limits resolve.Limits

	// Blocked are ids that name nothing, in lower case. Nil: those of [IsPlaceholder].
	Blocked map[string]bool

	// NoAnonymous refuses events that carry nothing but an anonymous id.
	NoAnonymous bool
}

// NewIDRules returns rules with limits of ids, and ids that name nothing instead of the usual ones.
func NewIDRules(limits resolve.Limits, blocked []string, noAnonymous bool) IDRules {
	r := IDRules{Limits: limits, NoAnonymous: noAnonymous}
	for _, id := range blocked {
		if r.Blocked == nil {
			r.Blocked = map[string]bool{}
		}
		r.Blocked[strings.ToLower(strings.TrimSpace(id))] = true
	}
	return r
}

var kindPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// CheckKind checks a kind of ids that a program declares.
func CheckKind(kind string, most int) error {
	switch kind {
	case resolve.User, resolve.Email, resolve.Anonymous, resolve.Shared:
		return fmt.Errorf("%q is a kind that every program has; choose another name", kind)
	}
	switch {
	case !kindPattern.MatchString(kind):
		return fmt.Errorf("%q is no name of a kind; use at most 40 lower-case letters, digits and underscores, beginning with a letter", kind)
	case most < 0:
		return fmt.Errorf("a contact may have %d ids of the kind %q; allow at least one, or give 0 for the default, 1", most, kind)
	default:
		return nil
	}
}

// KnownKind returns an error for what cannot be the kind of an id.
func KnownKind(kind string) error {
	if kind == resolve.Shared || !kindPattern.MatchString(kind) {
		return fmt.Errorf("is %.40q, which is no kind of ids; use user, email, anonymous, or a kind that the program declares", kind)
	}
	return nil
}

// IDs are the ids of an event, cleaned, by their names (see package resolve).
type IDs struct {
	Subject  string   // the highest
	Others   []string // the others, the highest first
	Warnings []bucketgen.Warning
	Blocked  []string // the kinds of those that name nothing
}

// Names returns the names of all ids, the highest first.
func (i *IDs) Names() []string { return append([]string{i.Subject}, i.Others...) }

// maxEmail is how many bytes an e-mail address has at most.
const maxEmail = 254

// Read returns the ids of an event. Blanks around an id do not count, and a blocked id counts as
// none, with a warning.
func (r *IDRules) Read(ev *bucketgen.Event) (IDs, error) {
	if ev.AnonymousID == "" && ev.Email == "" && len(ev.IDs) == 0 { // as most do
		return r.userOnly(ev.UserID)
	}
	var ids IDs
	reader := idReader{rules: r, ids: &ids}
	reader.add("user_id", resolve.User, ev.UserID)
	for _, kind := range sortedKinds(ev.IDs) {
		if _, declared := r.Limits.Declared[kind]; !declared {
			return ids, invalid("ids."+kind, "is of a kind that is not declared; declare it in engine.Config.IDKinds, or leave it out")
		}
		reader.add("ids."+kind, kind, ev.IDs[kind])
	}
	reader.add("email", resolve.Email, ev.Email)
	reader.add("anonymous_id", resolve.Anonymous, ev.AnonymousID)
	switch {
	case reader.err != nil:
		return ids, reader.err
	case ids.Subject == "" && len(ids.Warnings) > 0:
		return ids, invalid(ids.Warnings[0].Field, ids.Warnings[0].Problem)
	case ids.Subject == "":
		return ids, invalid("user_id", "is empty, and there is no other id either")
	case r.NoAnonymous && resolve.IsVisitor(ids.Subject):
		return ids, invalid("user_id", "is missing; users who have only an anonymous id are not known here, identify them")
	}
	return ids, nil
}

// userOnly reads an event that carries nothing but a user id.
func (r *IDRules) userOnly(id string) (IDs, error) {
	id = strings.TrimSpace(id)
	switch {
	case id == "":
		return IDs{}, invalid("user_id", "is empty")
	case r.isBlocked(id):
		return IDs{Blocked: []string{resolve.User}}, invalid("user_id", Placeholder(id))
	}
	return IDs{Subject: id}, checkID("user_id", resolve.User, id)
}

type idReader struct {
	rules *IDRules
	ids   *IDs
	err   error
}

func (r *idReader) add(field, kind, id string) {
	id = strings.TrimSpace(id)
	if r.err != nil || id == "" {
		return
	}
	if kind == resolve.Email {
		id = lowerASCII(id)
	}
	if r.rules.isBlocked(id) {
		r.ids.Blocked = append(r.ids.Blocked, kind)
		r.ids.Warnings = append(r.ids.Warnings, bucketgen.Warning{Code: bucketgen.WarningBlockedID, Field: field, Problem: Placeholder(id)})
		return
	}
	if r.err = checkID(field, kind, id); r.err != nil {
		return
	}
	if name := resolve.Name(kind, id); r.ids.Subject == "" {
		r.ids.Subject = name
	} else {
		r.ids.Others = append(r.ids.Others, name)
	}
}

func sortedKinds(ids map[string]string) []string {
	kinds := make([]string, 0, len(ids))
	for kind := range ids {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// checkID checks the value of an id.
func checkID(field, kind, id string) error {
	if kind == resolve.Email && !IsEmail(id) {
		return invalid(field, fmt.Sprintf("%.40q is no e-mail address; it needs one @, text on both sides, and at most %d bytes", id, maxEmail))
	}
	return plainID(field, id)
}

// WrongID says what is wrong with the value of a declared id, or nothing.
func WrongID(id string) string {
	if id == "" {
		return "is empty"
	}
	if invalid, ok := errors.AsType[*bucketgen.InvalidError](plainID("id", id)); ok {
		return invalid.Problem
	}
	return ""
}

// plainID checks the value of an id of any kind.
func plainID(field, id string) error {
	if err := text(field, id, maxID); err != nil {
		return err
	}
	if strings.ContainsRune(id, 1) {
		return invalid(field, "contains U+0001, which marks the names of ids that are not user ids")
	}
	return nil
}

// IsEmail reports whether a text is an e-mail address, as far as that is seen from outside.
func IsEmail(s string) bool {
	at := strings.IndexByte(s, '@')
	return at > 0 && at < len(s)-1 && at == strings.LastIndexByte(s, '@') && len(s) <= maxEmail && !strings.ContainsAny(s, " \t\r\n")
}

// lowerASCII lowers the ASCII letters of a text.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}

// isBlocked reports whether an id names nothing.
func (r *IDRules) isBlocked(id string) bool {
	if r.Blocked == nil {
		return IsPlaceholder(id)
	}
	return r.Blocked[strings.ToLower(id)]
}

// UserID checks the id of a user as a caller names them: a user id, or the name of another id.
func UserID(id string) error {
	kind, value := resolve.Parse(id)
	if kind == resolve.Shared {
		kind, value = resolve.Parse(value)
	}
	if kind != resolve.User && (kind == resolve.Shared || !kindPattern.MatchString(kind)) {
		return invalid("user_id", "begins with U+0001, and is not the name of an id; give the user id, or what engine.By returns")
	}
	if strings.TrimSpace(value) == "" {
		return invalid("user_id", "is empty")
	}
	return checkID("user_id", kind, value)
}

// CleanName returns the name of an id as events have it: without blanks around the id, and an
// e-mail address in lower case.
func CleanName(name string) string {
	kind, id := resolve.Parse(name)
	if kind == resolve.Shared {
		return name
	}
	return Clean(kind, id)
}

// Clean returns the name of an id of a kind, as events do.
func Clean(kind, id string) string {
	id = strings.TrimSpace(id)
	if kind == resolve.Email {
		id = lowerASCII(id)
	}
	return resolve.Name(kind, id)
}
