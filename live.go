package bucketgen

import "time"

// Live is how many transitions were committed lately, by any process on the database.
type Live struct {
	AsOf    time.Time    `json:"asOf"`
	Since   time.Time    `json:"since"`   // when counting began: a minute before AsOf, or later
	Seconds []LiveSecond `json:"seconds"` // those with transitions, the oldest first
	Buckets []LiveBucket `json:"buckets"` // those with transitions, the most first, up to 100
}

// LiveSecond is how many transitions were seen in a second.
type LiveSecond struct {
	LiveCounts

	At time.Time `json:"at"`
}

// LiveBucket is how many transitions of a bucket were seen.
type LiveBucket struct {
	LiveCounts

	BucketID   string `json:"bucketId"`
	BucketName string `json:"bucketName"`
}

// LiveCounts are numbers of transitions by their kind.
type LiveCounts struct {
	Entered int64 `json:"entered"`
	Left    int64 `json:"left"`
	Dwell   int64 `json:"dwell"`
}

// Add counts a transition of a kind.
func (c *LiveCounts) Add(kind Kind) {
	switch kind {
	case Entered:
		c.Entered++
	case Left:
		c.Left++
	case Dwell:
		c.Dwell++
	}
}

// Sum returns the number of transitions.
func (c *LiveCounts) Sum() int64 { return c.Entered + c.Left + c.Dwell }
