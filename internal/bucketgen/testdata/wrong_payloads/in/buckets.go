package buckets

import (
	"math"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
)

var (
	purchase = bucket.Event("purchase")
	refund   = bucket.Event("refund")
	amount   = purchase.Number("amount")
	product  = purchase.Text("product")
	unset    bucket.Filter
	newYear  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

var Filters = bucket.Define(bucket.Spec{ID: "filters", Criteria: bucket.All(
	purchase.Where().Exists(),
	purchase.Where(unset).Exists(),
	purchase.Where(product.In()).Exists(),
	purchase.Where(product.Matches("[")).Exists(),
	purchase.Where(bucket.Not(amount.Between(5, 1))).Exists(),
	refund.Where(amount.AtLeast(1)).Exists(),
	refund.Sum(amount).AtLeast(1),
	purchase.Where(bucket.All[bucket.Filter]()).Exists(),
)})

var Windows = bucket.Define(bucket.Spec{ID: "windows", Criteria: bucket.All(
	purchase.Today("Berlin").Exists(),
	purchase.ThisWeek("").Exists(),
	purchase.ThisMonth("Local").Exists(),
	purchase.Between(newYear, newYear).Exists(),
	purchase.Today("UTC").Within(bucket.Day).Exists(),
	purchase.Within(bucket.Day).FirstTimeWithin(bucket.Day),
	purchase.FirstTimeWithin(0),
	purchase.DistinctDays("europe/berlin").AtLeast(2),
)})

var Singles = bucket.Define(bucket.Spec{ID: "singles", Criteria: bucket.All(
	product.Of(purchase.Within(bucket.Day).First()).Is("book"),
	product.Of(purchase.Today("UTC").Last()).Is("book"),
	product.Of(refund.Last()).Is("book"),
	product.Of(purchase.Where().First()).In(),
	amount.Of(purchase.First()).Between(5, 1),
	amount.Of(purchase.First()).Is(math.NaN()),
	purchase.Time("at").Of(purchase.Last()).InTheLast(0),
)})

var Absent = bucket.Define(bucket.Spec{ID: "absent", Criteria: product.Of(purchase.First()).NotExists()})

var Quantities = bucket.Define(bucket.Spec{ID: "quantities", Criteria: bucket.All(
	purchase.Sum(amount).AtLeast(math.NaN()),
	purchase.Avg(amount).Is(math.Inf(-1)),
	purchase.Distinct(product).AtLeast(-1),
	purchase.Distinct(product).AtLeast(0),
)})
