package view

import (
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

// asked returns what names a user of a preview: the text of it, unless the name that was asked
// about is not a user id.
func asked(name, text string) string {
	if strings.HasPrefix(name, nameMark) {
		return name
	}
	return text
}
