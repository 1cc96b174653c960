package buckets

import "github.com/bucketgen/bucketgen/bucket"

// TrialExpiringSoon are users whose trial is about to end and who have not begun to pay. Two
// systems report trials, and either may be first.
var TrialExpiringSoon = bucket.Define(bucket.Spec{
	ID:          "trial-expiring-soon",
	Name:        "Trial expiring soon",
	Description: "Users on a trial that ends within three days.",
	Criteria: bucket.All(
		Plan.Is("trial"),
		bucket.Any(
			TrialDaysLeft.AtMost(3),
			TrialEndsAt.InTheNext(3*bucket.Day),
		),
		SubscriptionStarted.Never(),
	),
	Entry:      bucket.Once(),
	MaxDwell:   7 * bucket.Day,
	FastExpiry: true,
})
