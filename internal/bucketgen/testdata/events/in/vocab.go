// Package buckets declares events and fields in every way.
package buckets

import "github.com/bucketgen/bucketgen/bucket"

var (
	// Purchase occurs when a customer pays.
	Purchase = bucket.Event("purchase")

	// Amount is what was paid, in euros.
	Amount = Purchase.Number("amount")

	// PurchaseCurrency is the currency in which it was paid. The name of the event is not repeated.
	PurchaseCurrency = Purchase.Text("currency")

	Purchased  = Purchase.Time("purchased_at")
	Gift       = Purchase.Bool("gift")
	Tags       = Purchase.List("tags")
	Country    = Purchase.Text("address").At("country")
	PostalCode = Purchase.Text("address").At("postal code")

	// By is a name that methods of the type have.
	By = Purchase.Text("by")

	// AmountText is what old clients send as the amount.
	AmountText = Purchase.Text("amount")

	purchaseChannel = Purchase.Text("channel")
	order           = Purchase.Text("order")
)

// SignupEvent is called an event already.
var SignupEvent = bucket.Event("sign-up")

// SignupPlan is the plan.
var SignupPlan = SignupEvent.Text("plan")

// LoggedIn has no field, and is asked about by no bucket.
var LoggedIn = bucket.Event("größe")

// LoggedInAgain is a second name of the event, which the last one names.
var LoggedInAgain = bucket.Event("größe")

var cart = bucket.Event("cart_updated")
