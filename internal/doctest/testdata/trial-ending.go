package page

import "github.com/bucketgen/bucketgen/bucket"

var (
	Plan      = bucket.Text("plan")
	TrialEnds = bucket.Time("trial_ends_at")
)
