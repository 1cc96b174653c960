package bucketgen

import (
	"encoding/json"
	"time"
)

// FoundUser is a user that a search found.
type FoundUser struct {
	UserID      string            `json:"userId,omitempty"`      // empty for a user without a user id
	AnonymousID string            `json:"anonymousId,omitempty"` // as in Transition
	IDs         map[string]string `json:"ids,omitempty"`
	UserEmail   string            `json:"userEmail,omitempty"` // of a user who is not deleted
	Name        string            `json:"name,omitempty"`      // the property name, up to 200 characters; as userEmail
	CreatedAt   time.Time         `json:"createdAt"`
	Deleted     bool              `json:"deleted,omitempty"`
}

// User is what is known of a user, but for what they did.
type User struct {
	UserID       string            `json:"userId,omitempty"`      // the id by which the user goes; empty: they have no user id
	AnonymousID  string            `json:"anonymousId,omitempty"` // as in Transition
	IDs          map[string]string `json:"ids,omitempty"`
	UserEmail    string            `json:"userEmail,omitempty"`
	CreatedAt    time.Time         `json:"createdAt"`
	UpdatedAt    time.Time         `json:"updatedAt"` // the last change of the properties, or deletion or restoration
	DeletedAt    time.Time         `json:"deletedAt,omitzero"`
	Merged       []string          `json:"merged"`       // the ids of users who were merged into this one, up to 100
	AnonymousIDs []string          `json:"anonymousIds"` // up to 100
	Traits       []Property        `json:"traits"`       // by name; none of a deleted user
}

// Property is a property of a user.
type Property struct {
	Name      string          `json:"name"`
	Value     json.RawMessage `json:"value"`
	Type      string          `json:"type,omitempty"`     // of the declaration: text, number, bool, time, list; empty: any
	Declared  bool            `json:"declared,omitempty"` // definitions ask about it
	ChangedAt time.Time       `json:"changedAt,omitzero"` // when a declared one changed last; zero: not known
	Was       json.RawMessage `json:"was,omitempty"`      // its value before that; nil: none
}

// LoggedEvent is an event of a user, as it is in the log.
type LoggedEvent struct {
	Name       string          `json:"name,omitempty"` // empty: it only set traits
	OccurredAt time.Time       `json:"occurredAt"`
	ReceivedAt time.Time       `json:"receivedAt"`
	Properties json.RawMessage `json:"properties,omitempty"`
	Traits     json.RawMessage `json:"traits,omitempty"` // that it set
}

// RecentEvent is an event that a process has stored lately.
type RecentEvent struct {
	LoggedEvent

	ID          int64             `json:"id"`                    // counts the events of the process
	UserID      string            `json:"userId,omitempty"`      // empty for a user without a user id
	AnonymousID string            `json:"anonymousId,omitempty"` // as in Transition
	IDs         map[string]string `json:"ids,omitempty"`
	Once        json.RawMessage   `json:"once,omitempty"` // traits that it set if the user had none of the name
}

// RecentQuery says which recent events to list. The zero value lists the newest 100.
type RecentQuery struct {
	Name   string // Name limits the list to events of a name. Defaults to all.
	UserID string // UserID limits the list to events of a user. Defaults to all.
	After  int64  // After is the id of the last event of the page before. Defaults to 0, which begins.
	Size   int    // Size is how many events to return at most. Defaults to 100; more than 1000 are 1000.
}

// RecentPage is a page of recent events, the newest first.
type RecentPage struct {
	Events []RecentEvent
	Since  time.Time // Since is when the oldest was received that the process keeps; zero if it keeps none
	Next   int64     // Next is the After of the next page; 0 on the last one
}

// EventPage is a page of events.
type EventPage struct {
	Events []LoggedEvent
	Next   *TimeKey // Next is the After of the next page; nil on the last one
}

// Activity is one thing that a user did or that happened to them: an event or a transition.
type Activity struct {
	At         time.Time    `json:"at"`
	Event      *LoggedEvent `json:"event,omitempty"`
	Transition *Transition  `json:"transition,omitempty"`
}

// ActivityKey is the place of an item in a list of activity.
type ActivityKey struct {
	At         time.Time `json:"at"`
	ID         int64     `json:"id"`
	Transition bool      `json:"transition,omitempty"` // a transition comes before the events of the same instant
}

// ActivityPage is a page of activity.
type ActivityPage struct {
	Activity []Activity
	Next     *ActivityKey // Next is the After of the next page; nil on the last one
}

// TimelineQuery says which transitions of a user to list, in the order of decision. The zero value
// lists the oldest 100.
type TimelineQuery struct {
	BucketID string    // BucketID limits the list to a bucket. Defaults to all.
	From, To time.Time // At is from From on and before To. Default to all time.
	Newest   bool      // Newest lists the newest first. Defaults to the oldest first.
	After    int64     // After is what the call for the page before returned. Defaults to 0, which begins.
	Size     int       // Size is how many to return at most. Defaults to 100; more than 1000 are 1000.
}

// ID is an id of a user.
type ID struct {
	Kind    string    `json:"kind"` // user, email, anonymous, or a kind that the program declares
	Value   string    `json:"value"`
	Primary bool      `json:"primary,omitempty"` // the user goes by it
	Shared  bool      `json:"shared,omitempty"`  // it leads to this user no longer, for several users have used it
	AddedAt time.Time `json:"addedAt,omitzero"`  // when it became the user's; zero for the name
}

// who returns the id of a user who has one of some.
func who(userID, anonymousID string, ids map[string]string) ID {
	for kind, value := range ids {
		return ID{Kind: kind, Value: value}
	}
	if userID == "" && anonymousID != "" {
		return ID{Kind: "anonymous", Value: anonymousID}
	}
	return ID{Kind: "user", Value: userID}
}

// String returns the id as text for people: the value, and the kind of one that is no user id.
func (id ID) String() string {
	if id.Kind == "user" {
		return id.Value
	}
	return id.Value + " (" + id.Kind + ")"
}
