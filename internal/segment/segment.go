// Package segment reads the calls of Segment's tracking API, which the SDKs of Segment and
// RudderStack make, as events.
package segment

import (
	"errors"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// Read turns a call into an event, except for an alias, which is none. Its time is the time in the
// call, if there is one.
//
// The traits of an identify are its traits and those of its context, as the SDKs of RudderStack
// send them. Those in the context of any other call are ignored: an SDK repeats there the traits of
// its last identify, however long ago.
//
// A page and a screen are events of these names, with name and category among the properties; a
// group is an event of that name, with its traits and groupId as properties.
func (c *Call) Read() (engine.Event, error) {
	ev := engine.Event{UserID: c.UserID, AnonymousID: c.Anonymous, PropertiesJSON: c.Properties, Key: c.MessageID}
	switch c.Type {
	case "track":
		if ev.Name = c.Event; ev.Name == "" {
			return ev, &engine.InvalidError{Field: "event", Problem: "is empty"}
		}
		ev.TraitsJSON = c.Traits
	case "identify":
		traits, err := c.traits()
		if err != nil {
			return ev, err
		}
		if ev.TraitsJSON = traits; traits == nil {
			ev.TraitsJSON = []byte("{}")
		}
	case "page", "screen":
		ev.Name = c.Type
		more := []Member{{"name", c.Name}, {"category", c.Category}}
		properties, err := With("properties", c.Properties, more)
		if err != nil {
			return ev, err
		}
		ev.PropertiesJSON = properties
	case "group":
		ev.Name = c.Type
		properties, err := With("traits", c.Traits, []Member{{"groupId", c.GroupID}})
		if err != nil {
			return ev, err
		}
		ev.PropertiesJSON = properties
	case "alias":
		if err := c.CheckIDs(); err != nil {
			return ev, err
		}
		return ev, &engine.InvalidError{Field: "type", Problem: "is alias, which is no event; merge the users"}
	case "":
		return ev, &engine.InvalidError{Field: "type", Problem: "is missing; write track, identify, page, screen or group"}
	default:
		return ev, &engine.InvalidError{Field: "type", Problem: fmt.Sprintf("is %q; write track, identify, page, screen or group", c.Type)}
	}
	var err error
	field, text := "timestamp", c.Timestamp
	if text == "" && c.Original != "" {
		field, text = "originalTimestamp", c.Original
	}
	ev.OccurredAt, err = Instant(field, text)
	return ev, err
}

// Instant reads a time. An empty text is the zero time; errors refer to it by field.
func Instant(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, &engine.InvalidError{Field: field, Problem: fmt.Sprintf("%q is no time; write it like 2026-11-23T09:30:00Z", text)}
	}
	return t, given(field, t)
}

// given refuses the zero time, which stands for no time in an [engine.Event]: a text that spells it
// must not become now.
func given(field string, t time.Time) error {
	if t.IsZero() {
		return &engine.InvalidError{Field: field, Problem: "is the zero time, 0001-01-01T00:00:00Z; leave the field out if the time is not known"}
	}
	return nil
}

// Correct corrects the time of an event for a client whose clock differs from ours: the time
// between event and sending is kept, counted back from the receipt.
func Correct(ev *engine.Event, sentAt string, receivedAt time.Time) error {
	sent, err := Instant("sentAt", sentAt)
	if err != nil || sent.IsZero() || ev.OccurredAt.IsZero() {
		return err
	}
	// The difference of two clocks is small. That of two instants of one clock may exceed a
	// time.Duration.
	ev.OccurredAt = ev.OccurredAt.Add(receivedAt.Sub(sent))
	return given("timestamp", ev.OccurredAt)
}

// Named returns an error that names a field of an event, or a user of a merge, by the field's name
// in a call.
func Named(err error) error {
	names := map[string]string{
		"user_id": "userId", "anonymous_id": "anonymousId", "email": "traits.email", "name": "event", "key": "messageId", "occurred_at": "timestamp", "from": "previousId", "into": "userId",
	}
	var invalid *engine.InvalidError
	if errors.As(err, &invalid) && names[invalid.Field] != "" {
		return &engine.InvalidError{Field: names[invalid.Field], Problem: invalid.Problem}
	}
	return err
}
