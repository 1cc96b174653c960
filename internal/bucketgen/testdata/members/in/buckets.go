// Package buckets asks about other buckets.
package buckets

import "github.com/bucketgen/bucketgen/bucket"

var (
	Plan     = bucket.Text("plan")
	Purchase = bucket.Event("purchase")
)

// Buyers have bought something of late.
var Buyers = bucket.Define(bucket.Spec{ID: "buyers", Criteria: purchaseOfLate()})

// Invited were chosen by hand.
var Invited = bucket.Define(bucket.Spec{ID: "invited", Kind: bucket.Manual})

// Ambassadors come first by id, though they are evaluated last.
var Ambassadors = bucket.Define(bucket.Spec{ID: "ambassadors", Criteria: bucket.All(
	bucket.InBucket("loyal"),
	bucket.InBucket("invited"),
)})

// Loyal pay for a plan and buy.
var Loyal = bucket.Define(bucket.Spec{ID: "loyal", Criteria: bucket.All(
	Plan.Is("pro"),
	bucket.InBucket("buyers"),
	bucket.NotInBucket("banned"),
)})

// Banned were thrown out.
var Banned = bucket.Define(bucket.Spec{ID: "banned", Kind: bucket.Manual})

func purchaseOfLate() bucket.Criteria { return Purchase.Within(30 * bucket.Day).Exists() }
