package bucketgen

import "time"

// The kinds of notices.
const (
	Merged Kind = "merged" // a contact became another, or got an id of a higher rank
	Erased Kind = "erased" // a person was erased
)

// Notice is something that happened to the ids of a person, and to no stay in a bucket. A system
// that keeps what transitions say by user gives what it has of From to Into, and deletes what it
// has of IDs.
type Notice struct {
	From *ID       `json:"from,omitempty"` // of merged: the id by which the contact went
	Into *ID       `json:"into,omitempty"` // of merged: the id by which the contact goes now
	IDs  []ID      `json:"ids,omitempty"`  // of erased: all ids of the person
	At   time.Time `json:"at"`
}
