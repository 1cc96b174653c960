// Package segment reads the calls of Segment's tracking API, which the SDKs of Segment and RudderStack make, as events.
package segment

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// Call is a call of any type. Fields that no event has are left out.
type Call struct {
	Type       string          `json:"type"`
	UserID     string          `json:"userId"`
	Previous   string          `json:"previousId"` // of an alias: what becomes another name of userId
	Anonymous  string          `json:"anonymousId"`
	Event      string          `json:"event"`
	Name       string          `json:"name"`     // of a page or screen
	Category   string          `json:"category"` // of a page or screen
	GroupID    string          `json:"groupId"`
	Properties json.RawMessage `json:"properties"`
	Traits     json.RawMessage `json:"traits"`
	Timestamp  string          `json:"timestamp"`
	Original   string          `json:"originalTimestamp"` // what RudderStack's SDKs say in place of timestamp
	SentAt     string          `json:"sentAt"`
	MessageID  string          `json:"messageId"`
}

// Types are the types of calls.
var Types = []string{"track", "identify", "page", "screen", "group", "alias"}

// Parse reads a call.
func Parse(text []byte) (Call, error) {
	var c Call
	err := json.Unmarshal(text, &c)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field != "":
		return c, &engine.InvalidError{Field: wrong.Field, Problem: fmt.Sprintf("is a JSON %s; write a string", wrong.Value)}
	case errors.As(err, &wrong):
		return c, fmt.Errorf("is a JSON %s; write an object", wrong.Value)
	case err != nil:
		return c, fmt.Errorf("is no JSON object: %w", err)
	}
	return c, nil
}

// Read turns a call into an event, but for an alias, which is none. Its time is the time at which the call says that it
// happened, if it says so.
//
// A page and a screen are events of these names, with name and category among the properties; a group is an event of that
// name, with its traits and groupId as properties.
func (c *Call) Read() (engine.Event, error) {
	ev := engine.Event{UserID: c.UserID, PropertiesJSON: null(c.Properties), Key: c.MessageID}
	switch c.Type {
	case "track":
		if ev.Name = c.Event; ev.Name == "" {
			return ev, &engine.InvalidError{Field: "event", Problem: "is empty"}
		}
		ev.TraitsJSON = null(c.Traits)
	case "identify":
		if ev.TraitsJSON = null(c.Traits); ev.TraitsJSON == nil {
			ev.TraitsJSON = []byte("{}")
		}
	case "page", "screen":
		ev.Name = c.Type
		if err := c.with(&ev, c.Properties, "properties", map[string]string{"name": c.Name, "category": c.Category}); err != nil {
			return ev, err
		}
	case "group":
		ev.Name = c.Type
		if err := c.with(&ev, c.Traits, "traits", map[string]string{"groupId": c.GroupID}); err != nil {
			return ev, err
		}
	case "alias":
		return ev, &engine.InvalidError{Field: "type", Problem: "is alias, which is no event; merge the users"}
	case "":
		return ev, &engine.InvalidError{Field: "type", Problem: "is missing; write track, identify, page, screen or group"}
	default:
		return ev, &engine.InvalidError{Field: "type", Problem: fmt.Sprintf("is %q; write track, identify, page, screen or group", c.Type)}
	}
	if c.UserID == "" && c.Anonymous != "" {
		return ev, &engine.InvalidError{Field: "userId", Problem: "is missing; users who have only an anonymousId are not known, identify them"}
	}
	var err error
	field, text := "timestamp", c.Timestamp
	if text == "" && c.Original != "" {
		field, text = "originalTimestamp", c.Original
	}
	ev.OccurredAt, err = instant(field, text)
	return ev, err
}

// with gives an event properties, and further ones beside them.
func (c *Call) with(ev *engine.Event, raw json.RawMessage, field string, more map[string]string) error {
	all := map[string]json.RawMessage{}
	if raw = null(raw); raw != nil {
		if err := json.Unmarshal(raw, &all); err != nil {
			return &engine.InvalidError{Field: field, Problem: "is no JSON object"}
		}
	}
	for name, value := range more {
		if _, given := all[name]; given || value == "" {
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			return &engine.InvalidError{Field: name, Problem: err.Error()}
		}
		all[name] = text
	}
	if len(all) == 0 {
		ev.PropertiesJSON = nil
		return nil
	}
	text, err := json.Marshal(all)
	if err != nil {
		return &engine.InvalidError{Field: field, Problem: err.Error()}
	}
	ev.PropertiesJSON = text
	return nil
}

// null returns nothing for a value of null, as SDKs write it where they have none.
func null(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

func instant(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, &engine.InvalidError{Field: field, Problem: fmt.Sprintf("%q is no time; write it like 2026-11-23T09:30:00Z", text)}
	}
	return t, given(field, t)
}

// given refuses the zero time, which stands for no time in an [engine.Event]: a text that spells it must not become now.
func given(field string, t time.Time) error {
	if t.IsZero() {
		return &engine.InvalidError{Field: field, Problem: "is the zero time, 0001-01-01T00:00:00Z; leave the field out if the time is not known"}
	}
	return nil
}

// Correct corrects the time of an event for a client whose clock differs from ours: what happened so long before it was sent
// happened so long before it was received.
func Correct(ev *engine.Event, sentAt string, receivedAt time.Time) error {
	sent, err := instant("sentAt", sentAt)
	if err != nil || sent.IsZero() || ev.OccurredAt.IsZero() {
		return err
	}
	// The difference of two clocks is small. That of two instants of one clock may be more than a time.Duration holds.
	ev.OccurredAt = ev.OccurredAt.Add(receivedAt.Sub(sent))
	return given("timestamp", ev.OccurredAt)
}

// Named returns an error that names a field of an event, or a user of a merge, by the name that the field has in a call.
func Named(err error) error {
	names := map[string]string{
		"user_id": "userId", "name": "event", "key": "messageId", "occurred_at": "timestamp", "from": "previousId", "into": "userId",
	}
	var invalid *engine.InvalidError
	if errors.As(err, &invalid) && names[invalid.Field] != "" {
		return &engine.InvalidError{Field: names[invalid.Field], Problem: invalid.Problem}
	}
	return err
}
