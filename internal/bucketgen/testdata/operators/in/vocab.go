// Package buckets uses every operator that there is.
package buckets

import "github.com/bucketgen/bucketgen/bucket"

var (
	// Plan is what the user subscribes to.
	Plan = bucket.Text("plan")

	Score     = bucket.Number("score") // Score is computed every night.
	Confirmed = bucket.Bool("confirmed")
	TrialEnds = bucket.Time("trial_ends_at")

	// city is not exported, so it is declared by its uses only.
	city = bucket.Text("city")

	// Unused is declared and in no criteria.
	Unused = bucket.Text("unused")
)

var (
	visit    = bucket.Event("visit")
	Purchase = bucket.Event("purchase.completed")
)
