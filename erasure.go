package bucketgen

import "time"

// EraseOptions say how a person is erased. The zero value erases the person with a user id, who may
// come back as a new user.
type EraseOptions struct {
	// Suppress refuses the ids of the person from now on: events of theirs are dropped. It needs
	// engine.Config.SuppressionSecret. Defaults to false: an id may come back as a new user.
	Suppress bool

	// Kind is the kind of the id that names the person. Defaults to user.
	Kind string

	// By is the name of the person who asks, for the list of erasures. Defaults to none.
	By string

	// Ticket is the reference of the request, for the list of erasures. At most 255 bytes. Defaults
	// to none.
	Ticket string
}

// Erasure is the record of an erasure. It names no id of the person.
type Erasure struct {
	ID         int64     `json:"id"`
	At         time.Time `json:"at"`
	By         string    `json:"by,omitempty"`
	Ticket     string    `json:"ticket,omitempty"`
	Suppressed bool      `json:"suppressed,omitempty"` // the ids are refused from now on
	Events     int64     `json:"events"`               // rows of the log that were deleted
	Rows       int64     `json:"rows"`                 // rows of all other tables
	FinishedAt time.Time `json:"finishedAt,omitzero"`  // zero: the rest of a long log is being deleted
}
