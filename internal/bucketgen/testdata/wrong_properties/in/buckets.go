package buckets

import (
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
)

var (
	Plan      = bucket.Text("plan")
	PlanAgain = bucket.Number("plan")
	plan      = bucket.Bool("plan")
	Nameless  = bucket.Text("")
	TrialEnds = bucket.Time("trial_ends_at")
)

var Types = bucket.Define(bucket.Spec{ID: "types", Criteria: bucket.All(
	Plan.Is("pro"),
	plan.IsTrue(),
	bucket.Time("plan").InTheNext(bucket.Day),
)})

var Names = bucket.Define(bucket.Spec{ID: "names", Criteria: bucket.All(
	Nameless.Exists(),
	bucket.Text(strings.Repeat("x", 256)).Exists(),
	bucket.Text("nul\x00").Exists(),
	bucket.Number("\xff").AtLeast(1),
)})

var Spans = bucket.Define(bucket.Spec{ID: "spans", Criteria: bucket.All(
	TrialEnds.InTheLast(0),
	TrialEnds.InTheNext(-bucket.Day),
	TrialEnds.MoreThanAgo(time.Nanosecond),
)})
