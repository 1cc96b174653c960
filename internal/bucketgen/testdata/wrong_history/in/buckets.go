package buckets

import "github.com/bucketgen/bucketgen/bucket"

var (
	Plan      = bucket.Text("plan")
	Seats     = bucket.Number("seats")
	Confirmed = bucket.Bool("confirmed")
	City      = bucket.Text("address").At("geo", "city")

	// Support is set by support only, or is it?
	Support      = bucket.Text("support").TraitsOnly()
	SupportAgain = bucket.Text("support")
)

var Spans = bucket.Define(bucket.Spec{ID: "spans", Criteria: bucket.All(
	Plan.HasBeen("pro", 0),
	Seats.HasBeen(5, -bucket.Day),
	Confirmed.HasBeen(true, 1),
	Plan.Changed().Within(0),
	Seats.Changed().From(1).Within(-bucket.Hour),
)})

var Nothing = bucket.Define(bucket.Spec{ID: "nothing", Criteria: bucket.Any(
	Plan.Changed().From("pro").To("pro").Within(bucket.Day),
	Confirmed.Changed().From(true).To(true).Within(bucket.Day),
)})

var Paths = bucket.Define(bucket.Spec{ID: "paths", Criteria: bucket.Any(
	City.HasBeen("Oslo", bucket.Day),
	City.Changed().Within(bucket.Day),
)})

var Sources = bucket.Define(bucket.Spec{ID: "sources", Criteria: bucket.Any(
	Support.Exists(),
	bucket.Text("support").Is("a"),
	bucket.Text("address").TraitsOnly().At("zip").Is("0150"),
)})
