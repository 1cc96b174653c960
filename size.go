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

// SizeQuery says which sizes of a bucket to read. The zero value reads all days of UTC.
type SizeQuery struct {
	// From and To are in the first and the last step. Default to the first transition, and to now.
	From, To time.Time

	// Hourly reads hours. Defaults to days.
	Hourly bool

	// Zone is where days begin, which must be at a full hour of UTC. Defaults to UTC.
	Zone *time.Location

	// BySource reads Sources, in time that grows with the number of transitions. Defaults to false.
	BySource bool
}

// SourcedPoint is what happened to a bucket within an hour or a day, by source.
type SourcedPoint struct {
	SizePoint

	Sources []SourceFlow // by source; nil unless asked for
}

// SourceFlow is how many users entered and left a bucket by one source.
type SourceFlow struct {
	Flow

	Source Source `json:"source"`
}
