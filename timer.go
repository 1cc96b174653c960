package bucketgen

import "time"

// ExpiryTimer asks for a timer that fires when a member of a bucket with FastExpiry is due.
type ExpiryTimer struct {
	MembershipID int64
	BucketID     string
	UserID       string // or what engine.By returns
	UserEmail    string
	ExpiresAt    time.Time
}

// DueHour is how many due instants come in an hour.
type DueHour struct {
	At  time.Time `json:"at"` // its beginning
	Due int64     `json:"due"`
}
