package bucketgen

import "time"

// Forecast is everything that happens to a user if only time passes, or after imaginary events.
type Forecast struct {
	UserID      string            `json:"userId,omitempty"`      // empty for a user without a user id
	AnonymousID string            `json:"anonymousId,omitempty"` // as in Transition
	IDs         map[string]string `json:"ids,omitempty"`
	At          time.Time         `json:"at"`          // the time of the forecast: now
	Until       time.Time         `json:"until"`       // the end of what was asked for
	Buckets     []string          `json:"buckets"`     // the ids of the buckets that the user is in, at At
	Transitions []Transition      `json:"transitions"` // by time

	// CompleteUntil is set where the forecast was cut off: nothing else happens before it, and what
	// follows was not computed.
	CompleteUntil time.Time `json:"completeUntil,omitzero"`
}

// ForecastOptions say what to forecast.
type ForecastOptions struct {
	// Until is the end of the forecast. Defaults to 30 days from now.
	Until time.Time

	// NoTicks leaves dwell ticks out, which change no membership. Defaults to false.
	NoTicks bool

	// Events are imagined to happen at their OccurredAt, which is not before now; a zero one is
	// now. Their UserID and Key are ignored. Defaults to none.
	Events []Event
}
