package buckets

import (
	"time"

	"github.com/bucketgen/bucketgen/bucket"
)

var ok = bucket.Event("visit").Exists()

// Several mistakes in one bucket are all reported.
var Several = bucket.Define(bucket.Spec{
	ID:             "several",
	Criteria:       ok,
	Entry:          bucket.OncePer(0),
	MinDwell:       -bucket.Hour,
	MaxDwell:       time.Nanosecond,
	ReconcileEvery: -1,
	Dwell: []bucket.Tick{
		bucket.After(0),
		bucket.Every(-bucket.Day),
		bucket.After(bucket.Day),
		bucket.After(24 * bucket.Hour),
		bucket.Every(time.Microsecond),
	},
})

var Contradiction = bucket.Define(bucket.Spec{ID: "contradiction", Criteria: ok, MinDwell: 2 * bucket.Day, MaxDwell: bucket.Day})

var Negative = bucket.Define(bucket.Spec{ID: "negative", Criteria: ok, Entry: bucket.OncePer(-bucket.Day)})

var Fine = bucket.Define(bucket.Spec{ID: "fine", Criteria: ok, Entry: bucket.OncePer(bucket.Day + 1)})

var Manual = bucket.Define(bucket.Spec{ID: "manual", Kind: bucket.Manual, Criteria: ok})

var ManualJoins = bucket.Define(bucket.Spec{ID: "manual-joins", Kind: bucket.Manual, ReconcileJoins: bucket.Off, TimeBased: bucket.Off})
