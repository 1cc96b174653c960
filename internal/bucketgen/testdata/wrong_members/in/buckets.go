package buckets

import "github.com/bucketgen/bucketgen/bucket"

var purchase = bucket.Event("purchase")

var Buyers = bucket.Define(bucket.Spec{ID: "buyers", Criteria: purchase.Exists()})

var Typo = bucket.Define(bucket.Spec{ID: "typo", Criteria: bucket.InBucket("buyer")})

var Unknown = bucket.Define(bucket.Spec{ID: "unknown", Criteria: bucket.InBucket("customers-of-old")})

var Self = bucket.Define(bucket.Spec{ID: "self", Criteria: bucket.All(
	purchase.Exists(),
	bucket.NotInBucket("self"),
)})

var Everybody = bucket.Define(bucket.Spec{ID: "everybody", Criteria: bucket.NotInBucket("buyers")})

var A = bucket.Define(bucket.Spec{ID: "a", Criteria: bucket.InBucket("c")})

var B = bucket.Define(bucket.Spec{ID: "b", Criteria: bucket.Any(purchase.Exists(), bucket.InBucket("a"))})

var C = bucket.Define(bucket.Spec{ID: "c", Criteria: bucket.All(
	purchase.Exists(),
	bucket.InBucket("b"),
)})
