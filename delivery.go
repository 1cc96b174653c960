package bucketgen

import "time"

// Delivery is a transition on its way to a subscription.
type Delivery struct {
	// Subscription is the name of the subscription.
	Subscription string

	// Transition is what is delivered. That of a notice only says its kind and when it happened.
	Transition Transition

	// Notice is what is delivered to a subscription that asks for notices. Nil: a transition.
	Notice *Notice

	// Attempt counts the attempts, from 1.
	Attempt int
}

// WaitingDelivery is a delivery that is still to be made.
type WaitingDelivery struct {
	ID         int64      `json:"id"`
	Transition Transition `json:"transition"`
	Notice     *Notice    `json:"notice,omitempty"` // what is delivered, if that is no transition
	Attempts   int        `json:"attempts"`         // that have failed
	NextAt     time.Time  `json:"nextAt"`           // of the next attempt
	UnderWay   bool       `json:"underWay,omitempty"`
	Behind     bool       `json:"behind,omitempty"`   // an earlier delivery of the same user and bucket comes first
	Paused     bool       `json:"paused,omitempty"`   // the bucket is
	Replayed   bool       `json:"replayed,omitempty"` // it was a dead letter
	Error      string     `json:"error,omitempty"`    // of the last attempt
}

// DeadLetterFilter says which dead letters are meant. The zero value is all.
type DeadLetterFilter struct {
	Subscriptions []string // the names of handlers and subscriptions; nil: all
	BucketID      string
	UserID        string
	Error         string // a part of the error of the last attempt

	// UpTo is the id of the last dead letter that counts for a replay or a count, so that one that
	// comes later is not meant. Defaults to 0: there is no last one.
	UpTo int64

	// NewestFirst turns the order of a list round.
	NewestFirst bool
}
