package buckets

import "github.com/bucketgen/bucketgen/bucket"

var (
	added  = bucket.Event("cart_updated")
	bought = bucket.Event("purchase")
	left   = bucket.Event("bucket:left:x")
	viewed = bucket.Event("product_viewed")
	cart   = added.Text("cart_id")
	number = bought.Number("cart")
	order  = bought.Text("cart_id")
)

var Times = bucket.Define(bucket.Spec{ID: "times", Criteria: bucket.All(
	added.Then(bought).Within(0).Exists(),
	added.ThenWithin(-bucket.Hour, bought).Exists(),
	added.ThenNot(bought).Within(0).Exists(),
	added.Then(bought).Within(bucket.Hour).InTheLast(0),
	added.ThenWithin(bucket.Day, bought).Within(bucket.Hour).Exists(),
	added.Then(bought.Within(bucket.Day)).Within(bucket.Hour).Exists(),
	added.Then(bought).Within(1).Exists(),
)})

var Keys = bucket.Define(bucket.Spec{ID: "keys", Criteria: bucket.All(
	added.Then(bought).Within(bucket.Hour).By().Exists(),
	added.Then(bought).Within(bucket.Hour).By(cart).Exists(),
	added.Then(bought).Within(bucket.Hour).By(cart, number).Exists(),
	added.Then(bought).Within(bucket.Hour).By(cart, order, order).Exists(),
	added.Then(viewed).Within(bucket.Hour).By(cart, order).Exists(),
	added.Then(bought).Within(bucket.Hour).By(cart, order).By(cart, order).Exists(),
)})

var Events = bucket.Define(bucket.Spec{ID: "events", Criteria: bucket.All(
	added.Then(left).Within(bucket.Hour).Exists(),
	added.Then(bucket.Event("")).Within(bucket.Hour).Exists(),
	added.Where(order.Is("x")).Then(bought.Where()).Within(bucket.Hour).Exists(),
)})

var Never = bucket.Define(bucket.Spec{ID: "never", Criteria: bucket.Not(added.Then(bought).Within(bucket.Hour).Exists())})
