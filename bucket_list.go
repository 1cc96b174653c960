package bucketgen

import "time"

// Bucket is a bucket of an engine's registry, as it is now.
type Bucket struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Manual      bool     `json:"manual,omitempty"` // it has no criteria: Add and Remove change it
	Fingerprint string   `json:"fingerprint"`      // of all that changes membership
	Words       []string `json:"words"`            // its criteria and its policy
	Paused      bool     `json:"paused,omitempty"`
	Other       bool     `json:"otherDeployed,omitempty"` // another definition is deployed, or none: this one moves no user
}

// BucketState is what happens to the memberships of a bucket.
type BucketState string

// The states of buckets.
const (
	BucketLive      BucketState = "live"      // users join and leave
	BucketFollowing BucketState = "following" // as live, and users are still evaluated after a deployment
	BucketPaused    BucketState = "paused"    // they are frozen
	BucketOther     BucketState = "other"     // another definition is deployed, or none: this program moves no user
	BucketGone      BucketState = "gone"      // it has members, and this program does not define it
)

// BucketRow is a bucket in a list of buckets. Its numbers are of the moment of the list.
type BucketRow struct {
	Bucket

	State    BucketState `json:"state"`
	Followed float64     `json:"followed,omitempty"` // the share of users that were evaluated, while it is following
	Timed    bool        `json:"timed,omitempty"`    // the passing of time alone can change its memberships
	Members  int64       `json:"members"`
	Trend    []int64     `json:"trend"`   // Members at the end of each of the last seven days in UTC, the last of which is Members
	Today    Flow        `json:"today"`   // since the day began, in UTC
	Overdue  int64       `json:"overdue"` // the number of users whose due instants have passed, up to 10,000 of all buckets
}

// BucketSort is what a list of buckets is ordered by.
type BucketSort string

// The orders of buckets. Buckets that are equal in it are ordered by id.
const (
	SortByID      BucketSort = "id"
	SortByName    BucketSort = "name" // in lower case
	SortBySize    BucketSort = "size"
	SortByEntered BucketSort = "entered" // today
	SortByLeft    BucketSort = "left"    // today
)

// BucketQuery says which buckets to list. The zero value lists the first 100 by id.
type BucketQuery struct {
	// Text is contained in the id or the name of each bucket, in any letter case. Defaults to none.
	Text string

	// State limits the list to buckets in a state. Defaults to all.
	State BucketState

	// Manual limits the list to manual buckets, or to those with criteria. Defaults to both.
	Manual *bool

	// Sort is what the list is ordered by. Defaults to SortByID.
	Sort BucketSort

	// Descending turns the order around.
	Descending bool

	// After is the last bucket of the page before. Defaults to nil, which begins.
	After *BucketKey

	// Size is how many buckets to return at most. Defaults to 100; more than 1000 are 1000.
	Size int

	// MaxAge allows a page that the engine has read before for the same query, at most so long ago.
	// The engine reads a page anew sooner than that if reading takes less than a fiftieth of the
	// time. The page says as of when it is. Defaults to 0: the page is read now.
	MaxAge time.Duration
}

// BucketKey is the place of a bucket in the order of a list.
type BucketKey struct {
	Name   string `json:"name,omitempty"`   // in lower case, in a list by name
	Number int64  `json:"number,omitempty"` // in a list by a number
	ID     string `json:"id"`
}

// BucketPage is a page of a list of buckets, all of one moment.
type BucketPage struct {
	Rows  []BucketRow
	Total int        // Total is the number of buckets on all pages
	Next  *BucketKey // Next is the After of the next page; nil on the last one
	AsOf  time.Time
}

// Summary is how a database and the engines on it are doing.
type Summary struct {
	AsOf    time.Time `json:"asOf"`
	Buckets int       `json:"buckets"`       // of this program
	Paused  int       `json:"paused"`        // of those
	Other   int       `json:"otherDeployed"` // of those: another definition is deployed, or none

	ClockLagSeconds float64 `json:"clockLagSeconds"` // how long the earliest due instant has been waiting
	Overdue         int64   `json:"overdue"`         // the number of due instants that have passed, up to 10,000

	OutboxLagSeconds float64 `json:"outboxLagSeconds"` // how long the first delivery that may go out has been waiting
	Waiting          int64   `json:"waiting"`          // the number of deliveries, up to 10,000
	Dead             int64   `json:"dead"`             // the number of dead letters, up to 10,000

	Deployment *Deployment `json:"deployment,omitempty"` // the last one; nil if there was none
	Agreed     bool        `json:"agreed"`               // the definitions of this program are deployed
}
