package buckets

import (
	"time"

	"github.com/bucketgen/bucketgen/bucket"
)

var visit = bucket.Event("visit")

// Everything has every knob turned.
var Everything = bucket.Define(bucket.Spec{
	ID:             "everything",
	Name:           "Every knob",
	Description:    "A bucket in which nothing is left alone.",
	Criteria:       visit.Exists(),
	Entry:          bucket.OncePer(30 * bucket.Day),
	MinDwell:       bucket.Minute,
	MaxDwell:       90 * bucket.Day,
	Dwell:          []bucket.Tick{bucket.After(1500 * time.Millisecond), bucket.Every(36 * bucket.Hour), bucket.After(bucket.Day), bucket.Every(bucket.Day)},
	ReconcileJoins: bucket.Off,
	ReconcileEvery: 15 * bucket.Minute,
	FastExpiry:     true,
})

// Plain has none.
var Plain = bucket.Define(bucket.Spec{ID: "plain", Criteria: visit.Exists()})

// Paused is paused.
var Paused = bucket.Define(bucket.Spec{ID: "paused", Criteria: visit.Exists(), Disabled: true, Entry: bucket.Once()})

// Derived says what would be derived anyway.
var Derived = bucket.Define(bucket.Spec{ID: "derived", Criteria: visit.Exists(), ReconcileJoins: bucket.On, Entry: bucket.Always()})

// ByHand is changed by calls only.
var ByHand = bucket.Define(bucket.Spec{ID: "by-hand", Kind: bucket.Manual, Dwell: []bucket.Tick{bucket.After(7 * bucket.Day)}})

// Newcomer may contain users without any facts: the absence is one within a window.
var Newcomer = bucket.Define(bucket.Spec{ID: "newcomer", Criteria: visit.Within(bucket.Week).Never()})
