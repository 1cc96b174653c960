package bucketgen

import (
	"encoding/json"
	"time"
)

// TryResult is what an event would come to if it were sent now.
type TryResult struct {
	UserID      string            `json:"userId,omitempty"`      // empty for a user without a user id
	AnonymousID string            `json:"anonymousId,omitempty"` // as in Transition
	IDs         map[string]string `json:"ids,omitempty"`
	At          time.Time         `json:"at"`
	Created     bool              `json:"created,omitempty"` // the user is unknown, and would be created
	Candidates  int               `json:"candidates"`        // buckets whose membership the event may change
	Evaluated   []TriedBucket     `json:"evaluated"`         // the candidates by id, 100 at most
	Transitions []Transition      `json:"transitions"`       // of the event
	Next        []Transition      `json:"next"`              // by time alone afterwards, 100 at most
	Buckets     []string          `json:"buckets"`           // ids of those that the user would be in
	Traits      json.RawMessage   `json:"traits"`            // of the user afterwards
}

// TriedBucket is what an event would change about a bucket.
type TriedBucket struct {
	BucketID   string          `json:"bucketId"`
	BucketName string          `json:"bucketName"`
	Before     bool            `json:"before,omitempty"` // the criteria holds before the event
	After      bool            `json:"after,omitempty"`  // the criteria holds after it
	Flips      []ConditionFlip `json:"flips"`
}

// ConditionFlip is a condition that holds after an event and does not before it, or the reverse.
type ConditionFlip struct {
	Words    string    `json:"words"`
	Holds    bool      `json:"holds"`              // after the event
	Evidence *Evidence `json:"evidence,omitempty"` // after the event
}
