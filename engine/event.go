package engine

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry"
)

// Event is something that a user did, or traits of theirs, or both. UserID is required, and one of Name and Traits.
type Event struct {
	// UserID names the user: 1 to 255 bytes, not blank. Users are created when they are first heard of.
	UserID string

	// Name says what the user did: at most 200 bytes, not beginning "bucket:". Without a name, the event only carries
	// traits.
	Name string

	// Properties are the payload of the event. Those that are declared as properties of users are stored with the user,
	// too, and win over Traits. A value of nil removes one.
	Properties map[string]any

	// Traits are set on the user. A value of nil removes one. The trait "email" is the user's email address.
	Traits map[string]any

	// PropertiesJSON and TraitsJSON are the same as JSON objects, for callers that have them so. It is an error to give
	// both forms.
	PropertiesJSON []byte
	TraitsJSON     []byte

	// OccurredAt says when it happened: not later than now, give or take [Config.Skew]. It decides whether the event is
	// in a window. Defaults to the time at which the event is decided on.
	OccurredAt time.Time

	// Key makes the ingest idempotent: of several events of a user with one key only the first counts, and the others
	// change nothing. At most 255 bytes, not beginning "bucket:". Defaults to none.
	Key string
}

const (
	maxUserID = 255
	maxName   = 200
	maxKey    = 255
	reserved  = "bucket:" // begins the names and keys of transitions
)

// validate turns an event into what decide understands, or says which field is wrong.
func (e *Engine) validate(ev *Event, now time.Time) (decide.Event, error) {
	out := decide.Event{Kind: decide.Track, Name: ev.Name, Event: registry.NoEvent, Key: ev.Key, OccurredAt: registry.Unset}
	switch {
	case strings.TrimSpace(ev.UserID) == "":
		return out, &InvalidError{"user_id", "is empty"}
	case ev.Name == "" && ev.Traits == nil && ev.TraitsJSON == nil:
		return out, &InvalidError{"name", "is empty, and there are no traits either"}
	case strings.HasPrefix(ev.Name, reserved):
		return out, &InvalidError{"name", `begins "bucket:", which is for transitions`}
	case strings.HasPrefix(ev.Key, reserved):
		return out, &InvalidError{"key", `begins "bucket:", which is for transitions`}
	case ev.Properties != nil && ev.PropertiesJSON != nil:
		return out, &InvalidError{"properties", "are given as a map and as JSON"}
	case ev.Traits != nil && ev.TraitsJSON != nil:
		return out, &InvalidError{"traits", "are given as a map and as JSON"}
	}
	if err := errors.Join(text("user_id", ev.UserID, maxUserID), text("name", ev.Name, maxName), text("key", ev.Key, maxKey)); err != nil {
		return out, err
	}
	if ev.Name == "" {
		out.Kind = decide.Identify
	} else {
		out.Event = e.registry.Event(ev.Name)
	}
	if err := occurredAt(&out, ev.OccurredAt, now, e.config.Skew); err != nil {
		return out, err
	}
	var err error
	if out.Properties, err = e.object("properties", ev.Properties, ev.PropertiesJSON); err != nil {
		return out, err
	}
	out.Traits, err = e.object("traits", ev.Traits, ev.TraitsJSON)
	return out, err
}

func (e *Engine) object(name string, m map[string]any, raw []byte) (payload.Object, error) {
	var o payload.Object
	var err error
	if m != nil {
		o, err = payload.FromMap(name, m, e.config.MaxPayload)
	} else {
		o, err = payload.Parse(name, raw, e.config.MaxPayload)
	}
	var refused *payload.Error
	if errors.As(err, &refused) {
		return o, &InvalidError{refused.Path, refused.Text}
	}
	return o, err
}

func text(field, s string, most int) error {
	switch {
	case len(s) > most:
		return &InvalidError{field, fmt.Sprintf("is %d bytes, more than the %d that are allowed", len(s), most)}
	case !utf8.ValidString(s):
		return &InvalidError{field, "is not valid UTF-8"}
	case strings.ContainsRune(s, 0):
		return &InvalidError{field, "contains U+0000, which PostgreSQL cannot store"}
	}
	return nil
}

func occurredAt(out *decide.Event, t, now time.Time, skew time.Duration) error {
	switch {
	case t.IsZero():
		return nil
	case t.After(now.Add(skew)):
		return &InvalidError{"occurred_at", fmt.Sprintf("%s is in the future", t.UTC().Format(time.RFC3339))}
	case t.UTC().Year() < 1:
		return &InvalidError{"occurred_at", fmt.Sprintf("%s is before all time", t.UTC().Format(time.RFC3339))}
	}
	out.OccurredAt = registry.At(t)
	return nil
}
