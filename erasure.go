package bucketgen

import (
	"encoding/json"
	"time"
)

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

// BulkErasure is what a job that erases persons came to.
type BulkErasure struct {
	Asked  int64 `json:"asked"`  // ids that were given
	Erased int64 `json:"erased"` // persons; an id that was unknown is none, and so is a second id of a person
	Events int64 `json:"events"` // rows of the log that were deleted
	Rows   int64 `json:"rows"`   // rows of all other tables
}

// BulkOptions say how a job erases persons. The zero value is that of [EraseOptions].
type BulkOptions struct {
	EraseOptions

	// Rate is how many persons a second are erased, up to 1,000. Defaults to 50.
	Rate int
}

// Suppression is what is known of an id that was erased, or is refused.
type Suppression struct {
	Hash       string    `json:"hash"`       // HMAC-SHA-256 of the id, in hexadecimal digits
	Kind       string    `json:"kind"`       // of the id; empty: the hash is that of nothing, by which secrets are compared
	Suppressed bool      `json:"suppressed"` // the id is refused
	Lives      int       `json:"lives"`      // how often a user of the id was erased
	At         time.Time `json:"at,omitzero"`
}

// PersonRow is a row of a person, as [encoding/json] has it.
type PersonRow struct {
	Table string          `json:"table"`
	Row   json.RawMessage `json:"row"`
}
