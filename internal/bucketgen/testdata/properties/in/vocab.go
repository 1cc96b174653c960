// Package buckets asks everything that can be asked of properties beyond comparing them with one value.
package buckets

import "github.com/bucketgen/bucketgen/bucket"

var (
	// Plan is what the user subscribes to.
	Plan = bucket.Text("plan")

	Email     = bucket.Text("email")
	Seats     = bucket.Number("seats")
	Confirmed = bucket.Bool("confirmed")
	SignedUp  = bucket.Time("signed_up_at")

	// Tags are set by support.
	Tags = bucket.List("tags").TraitsOnly()

	// Country is where the user lives. It has no setter: it is set with all of the address.
	Country = bucket.Text("address").At("country")

	city  = bucket.Text("address").At("geo", "city")
	since = bucket.Time("address").At("since")
	rooms = bucket.List("address").At("rooms")

	// Company is an object and asked for itself too.
	Company = bucket.Text("company")
	staff   = bucket.Number("company").At("staff")
)
