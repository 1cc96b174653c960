package buckets

import (
	"math"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
)

var (
	Plan     = bucket.Text("plan")
	Seats    = bucket.Number("seats")
	SignedUp = bucket.Time("signed_up_at")
	Tags     = bucket.List("tags")
)

var none []string

var Choices = bucket.Define(bucket.Spec{ID: "choices", Criteria: bucket.All(
	Plan.In(),
	Plan.NotIn(none...),
	Plan.In("free", "pro", "free"),
	Plan.InFold("free", "Free", "\u212a", "k"),
	Seats.In(1, 2, 1.0),
	Seats.NotIn(),
	Seats.In(1, math.NaN()),
	Plan.In("a", "\xff"),
	Tags.HasAny(),
	Tags.HasAll("a", "a"),
)})

var Texts = bucket.Define(bucket.Spec{ID: "texts", Criteria: bucket.All(
	Plan.HasPrefix(""),
	Plan.HasSuffixFold(""),
	Plan.Matches("(free|pro"),
	Plan.Matches(`(?=a)`),
)})

var Ranges = bucket.Define(bucket.Spec{ID: "ranges", Criteria: bucket.All(
	Seats.Between(5, 1),
	SignedUp.Between(
		time.Date(2026, time.February, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC),
	),
	Tags.Length().AtLeast(-1),
)})

var Zones = bucket.Define(bucket.Spec{ID: "zones", Criteria: bucket.All(
	SignedUp.Today("Europe/Berln"),
	SignedUp.Today("europe/berlin"),
	SignedUp.ThisWeek("Berlin"),
	SignedUp.ThisWeek("New York"),
	SignedUp.ThisMonth("Middle Earth/Mordor"),
	SignedUp.ThisMonth(""),
	SignedUp.ThisMonth("Local"),
)})

var Paths = bucket.Define(bucket.Spec{ID: "paths", Criteria: bucket.All(
	bucket.Text("address").At("").Exists(),
	bucket.Text("address").At("geo", "nul\x00").Exists(),
	bucket.Text("address").At("\xff").Exists(),
	bucket.Text("address").At("size").Exists(),
	bucket.Number("address").At("size").Exists(),
)})
