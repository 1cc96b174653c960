package buckets

import "github.com/bucketgen/bucketgen/bucket"

// WentDormant used to be active and are not any more. Nothing happens when a user becomes dormant,
// so only the clock lets users join.
var WentDormant = bucket.Define(bucket.Spec{
	ID:          "went-dormant",
	Name:        "Went dormant",
	Description: "Users who were active three times or more, but not within two weeks.",
	Criteria: bucket.All(
		AppActive.AtLeast(3),
		AppActive.Within(14*bucket.Day).Never(),
		bucket.Not(Unsubscribed.IsTrue()),
	),
	Entry:          bucket.OncePer(90 * bucket.Day),
	Dwell:          []bucket.Tick{bucket.After(30 * bucket.Day)},
	ReconcileEvery: 6 * bucket.Hour,
})
