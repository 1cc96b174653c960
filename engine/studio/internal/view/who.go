package view

import (
	"fmt"
	"strings"

	"github.com/bucketgen/bucketgen/engine/server/client"
)

// nameMark begins the name of a user without a user id, and ends the kind of the id in it: names
// are what the API takes in place of user ids.
const nameMark = "\x01"

// UserName returns the name of a user by the ids in an answer of the API, of which one is there.
func UserName(userID, anonymousID string, ids map[string]string) string {
	if anonymousID != "" {
		return nameMark + "anonymous" + nameMark + anonymousID
	}
	for kind, value := range ids {
		return nameMark + kind + nameMark + value
	}
	return userID
}

func nameIn(t *client.Transition) string { return UserName(t.UserID, t.AnonymousID, t.Ids) }

// enteredAs says by which id a stay began, if that is another now.
func enteredAs(id client.ID) string {
	if id.Kind == "" {
		return ""
	}
	return ", entered as " + Named(UserName("", "", map[string]string{id.Kind: id.Value}))
}

// nameOf returns the name of a user who goes by an id.
func nameOf(id client.ID) string {
	if id.Kind == "user" {
		return id.Value
	}
	return UserName("", "", map[string]string{id.Kind: id.Value})
}

// asked returns what names a user of a preview: the text of it, unless the name that was asked
// about is not a user id.
func asked(name, text string) string {
	if strings.HasPrefix(name, nameMark) {
		return name
	}
	return text
}

// isNotice reports whether a dead letter is a notice about ids, which has neither a user nor a
// bucket.
func isNotice(l *client.DeadLetter) bool { return !l.Notice.At.IsZero() }

// noticeWords say which ids a notice is about: of a merge both, of an erasure the first of them.
func noticeWords(n *client.Notice) string {
	if n.From.Kind != "" {
		return idWords(n.From) + " → " + idWords(n.Into)
	}
	const most = 5
	words := make([]string, min(most, len(n.Ids)))
	for i := range words {
		words[i] = idWords(n.Ids[i])
	}
	text := strings.Join(words, ", ")
	if more := len(n.Ids) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// idWords returns an id as people read it: a user id without its kind.
func idWords(id client.ID) string {
	if id.Kind == "user" {
		return id.Value
	}
	return Named(UserName("", "", map[string]string{id.Kind: id.Value}))
}
