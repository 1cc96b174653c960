package bucketgen

import "time"

// BackTestProgress is how far a back-test is.
type BackTestProgress struct {
	Users  int64
	Events int64
	Share  float64 // of the users, roughly: from 0 to 1
}

// BackTestResult is what a back-test found.
type BackTestResult struct {
	Users   int64            `json:"users"` // all that the engine knows
	Events  int64            `json:"events"`
	Until   time.Time        `json:"until"`
	Buckets []BackTestBucket `json:"buckets"`
}

// BackTestBucket is what would have happened to a bucket.
type BackTestBucket struct {
	BucketID string            `json:"bucketId"`
	Entered  int64             `json:"entered"`
	Left     int64             `json:"left"`
	Members  int64             `json:"members"` // at the end
	Days     []BackTestDay     `json:"days"`    // of UTC, from the first on which anything happened to the last
	Against  *BackTestVersions `json:"against,omitempty"`
}

// BackTestDay is what would have happened on a day.
type BackTestDay struct {
	At      time.Time `json:"at"` // its beginning
	Entered int64     `json:"entered"`
	Left    int64     `json:"left"`
	Members int64     `json:"members"` // at its end, or at that of the back-test
}

// BackTestVersions is how two versions of a bucket differ: the one that was run, and the other.
type BackTestVersions struct {
	Other     BackTestBucket    `json:"other"`
	OnlyRun   int64             `json:"onlyRun"`   // users who are in the bucket that was run only, at the end
	OnlyOther int64             `json:"onlyOther"` // and in the other only
	Both      int64             `json:"both"`
	Days      []BackTestDiffers `json:"days"` // those at whose end the members differ

	// RunUsers and OtherUsers are the first few of the users who are in one version only, at the
	// end.
	RunUsers   []string `json:"runUsers,omitempty"`
	OtherUsers []string `json:"otherUsers,omitempty"`
}

// BackTestDiffers is by how much two versions of a bucket differ at the end of a day.
type BackTestDiffers struct {
	At        time.Time `json:"at"` // the beginning of the day
	OnlyRun   int64     `json:"onlyRun"`
	OnlyOther int64     `json:"onlyOther"`
	Both      int64     `json:"both"`
}
