// Package posthog reads the calls of PostHog's capture API, which PostHog's SDKs send, as events.
package posthog

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/segment"
	"github.com/bucketgen/bucketgen/internal/strictjson"
)

// Call is an event as an SDK sends it. Its JSON shares memory with the text that was read.
type Call struct {
	Name       string
	DistinctID string
	UUID       string
	Timestamp  string
	Offset     string // milliseconds since it happened, where there is no timestamp
	Properties []byte // an object, or nil

	// Properties that are not about the event.
	insertID   string
	set        []byte // $set, an object, or nil
	setOnce    []byte // $set_once
	unset      []byte // $unset, an array
	anonymous  string // $anon_distinct_id, of $identify
	alias      string // of $create_alias
	groupType  string // of $groupidentify
	groupKey   string
	groupSet   []byte
	ignoreSent bool // $ignore_sent_at
	rest       []byte
}

// Alias says that a user was known by another id before.
type Alias struct{ From, Into string }

// Parse reads an event. An [*engine.InvalidError] names the wrong member, as far as there is one.
func Parse(text []byte) (Call, error) {
	var c Call
	if err := strictjson.Object(text, c.take); err != nil {
		return c, segment.At("", err)
	}
	if c.Properties == nil {
		return c, nil
	}
	c.rest = append(make([]byte, 0, len(c.Properties)), '{')
	err := strictjson.Object(c.Properties, c.property)
	c.rest = append(c.rest, '}')
	if c.UUID == "" {
		c.UUID = c.insertID
	}
	return c, segment.At("properties", err)
}

func (c *Call) take(name, value []byte) error {
	var err error
	switch string(name) {
	case "event":
		c.Name, err = strictjson.Text(value)
	case "distinct_id", "$distinct_id":
		err = readID(&c.DistinctID, value)
	case "uuid":
		c.UUID, err = strictjson.ID(value)
	case "timestamp":
		c.Timestamp, err = strictjson.Text(value)
	case "offset":
		c.Offset, err = strictjson.ID(value)
	case "properties":
		c.Properties = segment.Object(value)
	case "$set":
		c.set = segment.Object(value)
	case "$set_once":
		c.setOnce = segment.Object(value)
	}
	return segment.At(string(name), err)
}

// property reads a member of the properties: those with a meaning to PostHog's SDKs, and all others
// unchanged.
func (c *Call) property(name, value []byte) error {
	var err error
	switch string(name) {
	case "distinct_id":
		if c.DistinctID == "" {
			err = readID(&c.DistinctID, value)
		}
	case "token":
	case "$insert_id":
		c.insertID, err = strictjson.ID(value)
	case "$set":
		c.set = segment.Object(value)
	case "$set_once":
		c.setOnce = segment.Object(value)
	case "$unset":
		c.unset = value
	case "$ignore_sent_at":
		c.ignoreSent = string(value) == "true"
	case "$anon_distinct_id":
		err = readID(&c.anonymous, value)
	default:
		if !c.ofKind(string(name), value, &err) {
			c.keep(name, value)
		}
	}
	return segment.At("properties."+string(name), err)
}

// ofKind reads a property that has a meaning for one kind of event only.
func (c *Call) ofKind(name string, value []byte, err *error) bool {
	switch {
	case c.Name == "$create_alias" && name == "alias":
		*err = readID(&c.alias, value)
	case c.Name == "$groupidentify" && name == "$group_type":
		c.groupType, *err = strictjson.ID(value)
	case c.Name == "$groupidentify" && name == "$group_key":
		c.groupKey, *err = strictjson.ID(value)
	case c.Name == "$groupidentify" && name == "$group_set":
		c.groupSet = segment.Object(value)
	default:
		return false
	}
	return true
}

func (c *Call) keep(name, value []byte) {
	if len(c.rest) > 1 {
		c.rest = append(c.rest, ',')
	}
	c.rest = append(payload.AppendText(c.rest, string(name)), ':')
	c.rest = append(c.rest, value...)
}

// readID reads an id, and refuses placeholders.
func readID(into *string, value []byte) error {
	id, err := strictjson.ID(value)
	if err == nil && event.IsPlaceholder(id) {
		err = &strictjson.Error{Problem: event.Placeholder(id)}
	}
	*into = id
	return err
}

// Read returns the content of a call: an alias if From is not empty, and an event if its UserID is
// not empty. sentAt is the time of the request by the client's clock, if the client sends it.
//
// Most events have their own name and properties. An $identify and a $set only set traits, a
// $create_alias is only an alias, and a $groupidentify is the event group, with $group_set, groupId
// and groupType as its properties.
func (c *Call) Read(sentAt string, received time.Time) (Alias, engine.Event, error) {
	var alias Alias
	ev := engine.Event{UserID: c.DistinctID, Name: c.Name, Key: c.UUID, PropertiesJSON: c.rest}
	switch {
	case c.Name == "":
		return alias, ev, &engine.InvalidError{Field: "event", Problem: "is empty"}
	case c.DistinctID == "":
		return alias, ev, &engine.InvalidError{Field: "distinct_id", Problem: "is empty"}
	}
	switch c.Name {
	case "$create_alias", "$merge_dangerously":
		if c.alias == "" {
			return alias, ev, &engine.InvalidError{Field: "properties.alias", Problem: "is empty"}
		}
		return Alias{c.alias, c.DistinctID}, engine.Event{}, nil
	case "$identify", "$set":
		if c.anonymous != "" && c.anonymous != c.DistinctID {
			alias = Alias{c.anonymous, c.DistinctID}
		}
		ev.Name, ev.PropertiesJSON = "", nil
	case "$groupidentify":
		var err error
		if ev.Name, ev.PropertiesJSON = "group", nil; c.groupKey != "" {
			ev.PropertiesJSON, err = segment.With("properties.$group_set", c.groupSet, []segment.Member{{Name: "groupId", Text: c.groupKey}, {Name: "groupType", Text: c.groupType}})
		}
		if err != nil {
			return alias, ev, err
		}
	}
	if err := c.traits(&ev); err != nil {
		return alias, ev, err
	}
	return alias, ev, c.when(&ev, sentAt, received)
}

// traits sets the traits of an event from its properties.
func (c *Call) traits(ev *engine.Event) error {
	ev.TraitsJSON, ev.TraitsOnceJSON = c.set, c.setOnce
	if ev.Name == "" && ev.TraitsJSON == nil {
		ev.TraitsJSON = []byte("{}")
	}
	if len(c.unset) == 0 || string(c.unset) == "null" {
		return nil
	}
	removed := []byte{'{'}
	err := strictjson.Array(c.unset, func(value []byte) error {
		name, err := strictjson.ID(value)
		if err != nil {
			return err
		}
		if len(removed) > 1 {
			removed = append(removed, ',')
		}
		removed = append(payload.AppendText(removed, name), ":null"...)
		return nil
	})
	if err != nil {
		return segment.At("properties.$unset", err)
	}
	if removed = append(removed, '}'); ev.TraitsJSON == nil {
		ev.TraitsJSON = removed
		return nil
	}
	ev.TraitsJSON, err = segment.Union(removed, ev.TraitsJSON)
	return err
}

// when sets the time of an event, corrected by the time of sending, like that of a Segment call.
func (c *Call) when(ev *engine.Event, sentAt string, received time.Time) error {
	if c.ignoreSent {
		sentAt = ""
	}
	if c.Timestamp == "" && c.Offset != "" {
		const most = int64(365 * 24 * time.Hour / time.Millisecond * 100)
		ago, err := strconv.ParseInt(c.Offset, 10, 64)
		if err != nil || ago < 0 || ago > most {
			return &engine.InvalidError{Field: "offset", Problem: fmt.Sprintf("is %.40s; send the milliseconds since it happened", c.Offset)}
		}
		ev.OccurredAt = received.Add(-time.Duration(ago) * time.Millisecond)
		return nil
	}
	at, err := segment.Instant("timestamp", c.Timestamp)
	if err != nil {
		return err
	}
	ev.OccurredAt = at
	err = segment.Correct(ev, sentAt, received)
	if invalid, ok := errors.AsType[*engine.InvalidError](err); ok && invalid.Field == "sentAt" {
		return &engine.InvalidError{Field: "sent_at", Problem: invalid.Problem}
	}
	return err
}

// Named returns an error that names a field of an event, or a user of a merge, by the field's name
// in a call.
func Named(err error) error {
	invalid, ok := errors.AsType[*engine.InvalidError](err)
	if !ok {
		return err
	}
	names := map[string]string{
		"user_id": "distinct_id", "name": "event", "key": "uuid", "occurred_at": "timestamp", "from": "properties.alias", "into": "distinct_id",
		"traits": "properties.$set", "traits_once": "properties.$set_once",
	}
	head, tail, nested := strings.Cut(invalid.Field, ".")
	if names[head] == "" {
		return err
	}
	if nested {
		tail = "." + tail
	}
	return &engine.InvalidError{Field: names[head] + tail, Problem: invalid.Problem}
}

// IsArray reports whether a body is a list of events.
func IsArray(body []byte) bool {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '['
}
