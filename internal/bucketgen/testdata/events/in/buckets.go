package buckets

import "github.com/bucketgen/bucketgen/bucket"

// BigSpenders ask about declared fields, and about some that are not.
var BigSpenders = bucket.Define(bucket.Spec{ID: "big-spenders", Criteria: bucket.All(
	Purchase.Where(Amount.AtLeast(100), purchaseChannel.Is("web")).Exists(),
	bucket.Event("refund").Where(bucket.Event("refund").Number("amount").AtLeast(10)).Never(),
)})

// RefundEvent is a bucket that has the name of a type, which gets another.
var RefundEvent = bucket.Define(bucket.Spec{ID: "refund-event", Criteria: Purchase.
	Then(cart.Where(cart.Text("coupon").At("code").Exists())).Within(bucket.Day).
	By(order, cart.Text("order")).Exists()})
