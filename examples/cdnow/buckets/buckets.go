// Package buckets classifies the customers of a music shop.
package buckets

import "github.com/bucketgen/bucketgen/bucket"

// An event, and the fields of its payload.
var (
	// Purchase occurs when a customer buys CDs.
	Purchase = bucket.Event("purchase")

	// CDs is how many were bought.
	CDs = Purchase.Number("cds")

	// Amount is what they cost, in dollars.
	Amount = Purchase.Number("amount")
)

// RepeatBuyers came back at least once. They never leave.
var RepeatBuyers = bucket.Define(bucket.Spec{
	ID:          "repeat-buyers",
	Name:        "Repeat buyers",
	Description: "Customers with two purchases or more.",
	Criteria:    Purchase.AtLeast(2),
})

// PowerBuyers buy again and again. They leave at the instant at which the third purchase is 90 days
// old.
var PowerBuyers = bucket.Define(bucket.Spec{
	ID:          "power-buyers",
	Name:        "Power buyers",
	Description: "Customers with three purchases or more within 90 days.",
	Criteria:    Purchase.Within(90 * bucket.Day).AtLeast(3),
})

// Lapsed bought once and then not for half a year. Joining needs no event: users join by the clock.
var Lapsed = bucket.Define(bucket.Spec{
	ID:          "lapsed",
	Name:        "Lapsed customers",
	Description: "Customers who have bought, but not within the last 180 days.",
	Criteria: bucket.All(
		Purchase.Exists(),
		Purchase.Within(180*bucket.Day).Never(),
	),
})
