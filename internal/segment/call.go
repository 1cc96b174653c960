package segment

import (
	"bytes"
	"errors"
	"strings"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/strictjson"
)

// Call is a call of any type, without the fields that no event has. Its JSON shares memory with the
// text that was read.
type Call struct {
	Type       string
	UserID     string
	Previous   string // of an alias: the id that becomes another name of userId
	Force      bool   // of an alias: also if previousId is shared
	Anonymous  string
	Event      string
	Name       string // of a page or screen
	Category   string // of a page or screen
	GroupID    string
	Properties []byte // an object, or nil
	Traits     []byte // an object, or nil
	Context    []byte // as it is written
	Timestamp  string
	Original   string // sent by RudderStack's SDKs in place of timestamp
	SentAt     string
	MessageID  string
}

// Types are the types of calls.
var Types = []string{"track", "identify", "page", "screen", "group", "alias"}

// Parse reads a call. An [*engine.InvalidError] names the wrong member, as far as there is one.
func Parse(text []byte) (Call, error) {
	var c Call
	err := strictjson.Object(text, c.take)
	return c, At("", err)
}

// take reads a member of a call. Ids are read more strictly than texts: a replaced id could be
// another user's.
func (c *Call) take(name, value []byte) error {
	var err error
	switch string(name) {
	case "type":
		c.Type, err = strictjson.Text(value)
	case "userId":
		c.UserID, err = strictjson.ID(value)
	case "previousId":
		c.Previous, err = strictjson.ID(value)
	case "force":
		c.Force = string(value) == "true"
	case "anonymousId":
		c.Anonymous, err = strictjson.ID(value)
	case "groupId":
		c.GroupID, err = strictjson.ID(value)
	case "messageId":
		c.MessageID, err = strictjson.ID(value)
	case "event":
		c.Event, err = strictjson.Text(value)
	case "name":
		c.Name, err = strictjson.Text(value)
	case "category":
		c.Category, err = strictjson.Text(value)
	case "timestamp":
		c.Timestamp, err = strictjson.Text(value)
	case "originalTimestamp":
		c.Original, err = strictjson.Text(value)
	case "sentAt":
		c.SentAt, err = strictjson.Text(value)
	case "properties":
		c.Properties = Object(value)
	case "traits":
		c.Traits = Object(value)
	case "context":
		c.Context = value
	}
	return At(string(name), err)
}

// At turns an error of the reader into one that names the field, given the member's name if there
// is one.
func At(name string, err error) error {
	wrong, ok := errors.AsType[*strictjson.Error](err)
	if !ok {
		return err
	}
	if name != "" && wrong.Path != "" {
		name += "."
	}
	if name += wrong.Path; name == "" {
		return err
	}
	return &engine.InvalidError{Field: name, Problem: wrong.Problem}
}

// Object returns a value that should be an object, and nil for null. PHP writes an object without
// members as an empty list.
func Object(value []byte) []byte {
	switch {
	case string(value) == "null":
		return nil
	case value[0] == '[' && len(bytes.TrimSpace(value[1:len(value)-1])) == 0:
		return []byte("{}")
	}
	return value
}

// CheckIDs refuses placeholders for the ids of an alias.
func (c *Call) CheckIDs() error {
	for _, id := range [...]struct{ field, value string }{{"userId", c.UserID}, {"previousId", c.Previous}} {
		if event.IsPlaceholder(id.value) {
			return &engine.InvalidError{Field: id.field, Problem: event.Placeholder(id.value)}
		}
	}
	return nil
}

// traits returns the traits of an identify.
func (c *Call) traits() ([]byte, error) {
	if len(c.Context) == 0 || c.Context[0] != '{' {
		return c.Traits, nil
	}
	var context []byte
	err := strictjson.Envelope(c.Context, func(name, value []byte) error {
		if string(name) == "traits" {
			context = Object(value)
		}
		return nil
	})
	switch {
	case err != nil || context == nil:
		return c.Traits, At("context", err)
	case c.Traits == nil:
		return context, nil
	}
	return Union(c.Traits, context)
}

// Email returns the e-mail address among the traits of an event, or nothing.
func Email(ev *engine.Event) string {
	email := ""
	_ = strictjson.Object(ev.TraitsJSON, func(name, value []byte) error {
		if string(name) == "email" {
			email, _ = strictjson.Text(value)
		}
		return nil
	})
	if email = strings.TrimSpace(email); !event.IsEmail(email) {
		return ""
	}
	return email
}
