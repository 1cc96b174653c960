package buckets

import "github.com/bucketgen/bucketgen/bucket"

var (
	viewed   = bucket.Event("product_viewed")
	added    = bucket.Event("cart_updated")
	bought   = bucket.Event("purchase")
	large    = bought.Where(bought.Number("amount").AtLeast(100))
	cart     = added.Text("cart_id")
	paidCart = bought.Text("cart")
)

// AbandonedCart contains users who put something into a cart and did not buy it within two hours.
var AbandonedCart = bucket.Define(bucket.Spec{
	ID:       "abandoned-cart",
	Criteria: added.ThenNot(bought).Within(2*bucket.Hour).By(cart, paidCart).InTheLast(bucket.Day),
})

var Converted = bucket.Define(bucket.Spec{
	ID: "converted",
	Criteria: bucket.All(
		viewed.Then(added).Then(large).Within(bucket.Week).InTheLast(30*bucket.Day),
		viewed.ThenWithin(bucket.Hour, added).ThenWithin(30*bucket.Minute, bought).Exists(),
		bucket.Not(viewed.ThenWithin(bucket.Hour, added).Then(bought).Within(bucket.Day).ThenNot(bought).Within(bucket.Week).Exists()),
	),
})

// Hesitant shares a sequence with AbandonedCart.
var Hesitant = bucket.Define(bucket.Spec{
	ID:       "hesitant",
	Criteria: added.ThenNot(bought).Within(2*bucket.Hour).By(cart, paidCart).Exists(),
})

// Regular comes again and again: one event takes both steps, but not at once.
var Regular = bucket.Define(bucket.Spec{ID: "regular", Criteria: viewed.ThenWithin(bucket.Day, viewed).Exists()})
