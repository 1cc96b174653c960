package bucketgen

import "time"

// ExpiryTimer asks for a timer that fires when a member of a bucket with FastExpiry is due.
type ExpiryTimer struct {
	MembershipID int64
	BucketID     string
	UserID       string
	UserEmail    string
	ExpiresAt    time.Time
}
