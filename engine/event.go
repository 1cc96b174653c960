package engine

import (
	"errors"
	"time"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
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

	// TraitsOnce are set on the user as Traits are, but only those that the user does not have yet, and that Traits do not
	// set. TraitsOnceJSON is the same as a JSON object. The log of events holds what was set.
	TraitsOnce     map[string]any
	TraitsOnceJSON []byte

	// OccurredAt says when it happened: not later than now, give or take [Config.Skew]. It decides whether the event is
	// in a window, and which of two values of a declared property is the newer one. Years 1 to 9999. Defaults to the time at
	// which the event is decided on, and so does the zero time.
	OccurredAt time.Time

	// Key makes the ingest idempotent: of several events of a user with one key only the first counts, and the others
	// change nothing. At most 255 bytes, not beginning "bucket:". Defaults to none.
	Key string

	// TraitsOnly says that Properties stay with the event: none of them is stored with the user, whatever is declared.
	// Defaults to false.
	TraitsOnly bool
}

// validate turns an event into what decide understands, or says which field is wrong.
func (e *Engine) validate(ev *Event, now time.Time) (decide.Event, error) {
	return e.validateUntil(ev, now, time.Time{})
}

// validateUntil is as validate, for events of which none may have occurred after an end, if that is not zero.
func (e *Engine) validateUntil(ev *Event, now, end time.Time) (decide.Event, error) {
	limits := event.Limits{Payload: e.config.MaxPayload, Traits: e.config.MaxTraits, Skew: e.config.Skew, End: end}
	valid, err := event.Validate(e.registry, (*event.Input)(ev), now, limits)
	return valid, public(err)
}

// public turns the refusal of a field into the error that callers know.
func public(err error) error {
	if invalid, ok := errors.AsType[*event.InvalidError](err); ok {
		return &InvalidError{invalid.Field, invalid.Problem}
	}
	return err
}
