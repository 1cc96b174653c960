package buckets

import (
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
)

var Names = bucket.Define(bucket.Spec{ID: "names", Criteria: bucket.All(
	bucket.Event("").Exists(),
	bucket.Event(" \t").Exists(),
	bucket.Event("bucket:entered:power-users").Exists(),
	bucket.Event(strings.Repeat("x", 201)).Exists(),
	bucket.Event("nul\x00").Exists(),
	bucket.Event("\xff").Within(bucket.Day).Exists(),
)})

var visit = bucket.Event("visit")

var Counts = bucket.Define(bucket.Spec{ID: "counts", Criteria: bucket.All(
	visit.AtLeast(-1),
	visit.AtLeast(0),
	visit.LessThan(0),
	visit.Within(bucket.Day).AtLeast(0),
)})

var Windows = bucket.Define(bucket.Spec{ID: "windows", Criteria: bucket.All(
	visit.Within(0).Exists(),
	visit.Within(-bucket.Day).AtLeast(2),
	visit.Within(1500*time.Nanosecond).Exists(),
	visit.Ago(30*bucket.Day, 90*bucket.Day).Exists(),
	visit.Ago(bucket.Day, bucket.Day).Exists(),
	visit.Ago(bucket.Day, 0).Exists(),
	visit.Ago(0, -bucket.Day).Exists(),
	visit.Ago(bucket.Day, 1500*time.Nanosecond).Exists(),
	visit.Ago(bucket.Day+time.Nanosecond, bucket.Hour).Exists(),
	visit.Within(bucket.Day).Ago(bucket.Day, bucket.Hour).Never(),
	visit.Ago(bucket.Day, bucket.Hour).AtLeast(10_001),
)})

// Declared names are checked where no bucket asks about them, too.
var (
	Nameless = bucket.Event("")
	Reserved = bucket.Event("bucket:left:power-users")
	NulField = visit.Text("nul\x00")
	NoKey    = visit.Text("address").At("")
)
