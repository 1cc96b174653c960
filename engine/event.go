package engine

import (
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
)

// Event is something that a user did, or traits of theirs, or both. UserID is required, and one of Name and Traits.
type Event = bucketgen.Event

// Result is the outcome of an event.
type Result = bucketgen.Result

// validate turns an event into what decide understands, or says which field is wrong.
func (e *Engine) validate(ev *Event, now time.Time) (decide.Event, error) {
	return e.validateUntil(ev, now, time.Time{})
}

// validateUntil is as validate, for events of which none may have occurred after an end, if that is not zero.
func (e *Engine) validateUntil(ev *Event, now, end time.Time) (decide.Event, error) {
	limits := e.config.limits()
	limits.End = end
	return event.Validate(e.registry, ev, now, limits)
}
