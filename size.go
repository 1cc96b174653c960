package bucketgen

import "time"

// Flow is how many users entered and left a bucket.
type Flow struct {
	Entered int64 `json:"entered"`
	Left    int64 `json:"left"`
}

// SizePoint is what happened to a bucket within an hour or a day.
type SizePoint struct {
	At        time.Time     // when it begins
	Entered   int64         // announced or not
	Left      int64         // without users who were deleted
	Members   int64         // at its end, or now if it lasts
	MeanDwell time.Duration // of the stays that ended in it; 0 if none did
}
