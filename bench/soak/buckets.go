package main

import (
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry"
)

var (
	plan    = bucket.Text("plan")
	visit   = bucket.Event("visit")
	order   = bucket.Event("order")
	amount  = order.Number("amount")
	product = order.Text("product")
	invited = bucket.Define(bucket.Spec{ID: "invited", Kind: bucket.Manual, MaxDwell: 30 * bucket.Second})
)

// buckets returns the registry of a version of the definitions. Windows are so short that the clock
// is always busy. Each version has another window, so that a deployment concerns every user.
func buckets(version int) (*registry.Registry, error) {
	window := time.Duration(10+version%2*5) * bucket.Second
	return registrytest.Of(
		invited,
		bucket.Define(bucket.Spec{ID: "noticed", Anonymous: bucket.Include, Criteria: visit.Within(5 * bucket.Second).Exists()}),
		bucket.Define(bucket.Spec{ID: "busy", Criteria: visit.Within(window).AtLeast(3)}),
		bucket.Define(bucket.Spec{ID: "quiet", Criteria: bucket.All(visit.Exists(), visit.Within(8*bucket.Second).Never())}),
		bucket.Define(bucket.Spec{ID: "pro", Criteria: plan.Is("pro"), Dwell: []bucket.Tick{bucket.After(3 * bucket.Second)}}),
		bucket.Define(bucket.Spec{ID: "spender", Criteria: order.Within(20 * bucket.Second).Sum(amount).AtLeast(100)}),
		bucket.Define(bucket.Spec{ID: "varied", Criteria: order.Within(20 * bucket.Second).Distinct(product).AtLeast(2)}),
		bucket.Define(bucket.Spec{ID: "bought", Criteria: visit.Then(order).Within(4 * bucket.Second).InTheLast(15 * bucket.Second)}),
		bucket.Define(bucket.Spec{ID: "cool", Criteria: order.Within(6 * bucket.Second).Exists(), Entry: bucket.OncePer(20 * bucket.Second)}),
	)
}
