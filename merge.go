package bucketgen

import (
	"encoding/json"
	"time"
)

// MergePreview is what a merge of two users would come to.
type MergePreview struct {
	From       string           `json:"from"` // the user who would become another name of into
	Into       string           `json:"into"` // equal to from if both are one user already
	At         time.Time        `json:"at"`
	Created    []string         `json:"created"` // of from and into those that are unknown
	Events     int64            `json:"events"`  // of from, which would be into's
	Properties []MergedProperty `json:"properties"`
	Stays      []MergedStay     `json:"stays"`
	// Transitions are what the merge would return.
	Transitions []Transition `json:"transitions"`
}

// MergedProperty is a property of either of two users who are merged.
type MergedProperty struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`          // of the survivor afterwards
	Lost  json.RawMessage `json:"lost,omitempty"` // the value that is dropped; nil: none
	Moved bool            `json:"moved,omitempty"`
}

// MergedStay is what becomes of the stays of two users in a bucket if they are merged.
type MergedStay struct {
	BucketID   string     `json:"bucketId"`
	BucketName string     `json:"bucketName"`
	Change     StayChange `json:"change"`
	EnteredAt  time.Time  `json:"enteredAt"`           // of the stay that is continued, moved, ended or begun
	FromEnds   bool       `json:"fromEnds,omitempty"`  // the stay of from ends as merged, unannounced
	EntryCount int        `json:"entryCount,omitzero"` // of the stay afterwards; 0: there is none
}

// StayChange is what becomes of a stay in a merge.
type StayChange string

// What becomes of stays in a merge.
const (
	StayContinues StayChange = "continues" // the stay of into goes on
	StayMoves     StayChange = "moves"     // the stay of from becomes one of into
	StayEnds      StayChange = "ends"      // the merged user leaves
	StayBegins    StayChange = "begins"    // the merged user enters
)
