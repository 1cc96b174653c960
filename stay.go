package bucketgen

import "time"

// Stay is one stay of a user in a bucket.
type Stay struct {
	EntryCount int       `json:"entryCount"` // which stay of the user in the bucket it is, from 1
	EnteredAt  time.Time `json:"enteredAt"`
	LeftAt     time.Time `json:"leftAt,omitzero"` // zero while it lasts
	Source     Source    `json:"source"`          // of the join
	Reason     Reason    `json:"reason,omitempty"`
}

// Member is a user in a bucket.
type Member struct {
	UserID       string    `json:"userId"`
	UserEmail    string    `json:"userEmail,omitempty"`
	EnteredAt    time.Time `json:"enteredAt"`
	LeftAt       time.Time `json:"leftAt,omitzero"` // zero while the stay lasts
	EntryCount   int       `json:"entryCount"`      // which stay of the user in the bucket it is, from 1
	MembershipID int64     `json:"membershipId"`
	Source       Source    `json:"source"` // of the join
}
