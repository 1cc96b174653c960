package buckets

import "github.com/bucketgen/bucketgen/bucket"

// PowerUsers pay and come back: five active moments in a week make one. One quiet day does not end
// the stay, a quiet week does.
var PowerUsers = bucket.Define(bucket.Spec{
	ID:          "power-users",
	Name:        "Power users",
	Description: "Paying users who were active five times within a week.",
	Criteria: bucket.All(
		Plan.Is("pro"),
		AppActive.Within(7*bucket.Day).AtLeast(5),
	),
	Entry:    bucket.OncePer(30 * bucket.Day),
	MinDwell: bucket.Day,
	Dwell: []bucket.Tick{
		bucket.After(7 * bucket.Day),
		bucket.Every(30 * bucket.Day),
	},
})
