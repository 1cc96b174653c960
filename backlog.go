package bucketgen

import "time"

// Backlog is what waits in the outbox for a subscription: of a handler, or of a forwarder.
type Backlog struct {
	Subscription string    `json:"subscription"`
	BucketID     string    `json:"bucketId,omitempty"` // empty: all buckets
	Waiting      int64     `json:"waiting"`            // deliveries to be made, or tried again
	Dead         int64     `json:"dead"`               // deliveries that were given up
	Oldest       time.Time `json:"oldest,omitzero"`    // when the oldest that waits was decided; zero if none waits
}
