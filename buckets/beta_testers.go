package buckets

import "github.com/bucketgen/bucketgen/bucket"

// BetaTesters see unfinished features. Support adds them, and after three months they are asked
// again.
var BetaTesters = bucket.Define(bucket.Spec{
	ID:          "beta-testers",
	Name:        "Beta testers",
	Description: "Users who asked to see what is not finished.",
	Kind:        bucket.Manual,
	MaxDwell:    90 * bucket.Day,
})
