package bucketgen

import (
	"errors"
	"time"
)

// Stay is one stay of a user in a bucket.
type Stay struct {
	EntryCount int       `json:"entryCount"` // which stay of the user in the bucket it is, from 1
	EnteredAt  time.Time `json:"enteredAt"`
	LeftAt     time.Time `json:"leftAt,omitzero"` // zero while it lasts
	Source     Source    `json:"source"`          // of the join
	Reason     Reason    `json:"reason,omitempty"`
	EnteredAs  *ID       `json:"enteredAs,omitempty"` // as in Transition
}

// Member is a user in a bucket.
type Member struct {
	UserID       string            `json:"userId,omitempty"`      // empty for a user without a user id
	AnonymousID  string            `json:"anonymousId,omitempty"` // as in Transition
	IDs          map[string]string `json:"ids,omitempty"`
	UserEmail    string            `json:"userEmail,omitempty"`
	EnteredAt    time.Time         `json:"enteredAt"`
	LeftAt       time.Time         `json:"leftAt,omitzero"` // zero while the stay lasts
	EntryCount   int               `json:"entryCount"`      // which stay of the user in the bucket it is, from 1
	MembershipID int64             `json:"membershipId"`
	Source       Source            `json:"source"`              // of the join
	EnteredAs    *ID               `json:"enteredAs,omitempty"` // as in Transition
}

// Who returns the id by which the user goes.
func (m Member) Who() ID { return who(m.UserID, m.AnonymousID, m.IDs) }

// MemberChanges are what many changes of a manual bucket come to.
type MemberChanges struct {
	Asked     int             `json:"asked"`   // users
	Changed   int             `json:"changed"` // users who joined, or left
	Unchanged int             `json:"unchanged"`
	Created   int             `json:"created,omitempty"` // of those who would join, the unknown; a preview counts them
	Refused   []RefusedMember `json:"refused,omitempty"`
}

// RefusedMember is a user who cannot be changed.
type RefusedMember struct {
	UserID string `json:"userId"`
	Detail string `json:"detail"`
}

// Refuse adds a user who cannot be changed.
func (c *MemberChanges) Refuse(userID string, why error) {
	detail := why.Error()
	switch invalid, is := errors.AsType[*InvalidError](why); {
	case is:
		detail = "the id " + invalid.Problem
	case errors.Is(why, ErrDeleted):
		detail = ErrDeleted.Error()
	}
	c.Refused = append(c.Refused, RefusedMember{userID, detail})
}
