// Package buckets computes definitions, as a program would compute anything.
package buckets

import (
	"strings"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/bucketgen/testdata/families/in/internal/plans"
)

var Plan = bucket.Text("plan")

// ByPlan has a bucket for every plan. This comment is about none of them in particular.
var ByPlan = byPlan()

func byPlan() []bucket.Definition {
	var defs []bucket.Definition
	for _, plan := range plans.All {
		defs = append(defs, bucket.Define(bucket.Spec{
			ID:          "plan-" + strings.ToLower(plan),
			Name:        plan,
			Description: "Users on the plan " + plan,
			Criteria:    Plan.Is(strings.ToLower(plan)),
		}))
	}
	return defs
}

// Family is a type of the author's own.
type Family []bucket.Definition

// ByCount has a type of its own.
var ByCount = Family{
	active("rarely", 1),
	active("often", 10),
}

func active(id string, n int) bucket.Definition {
	return bucket.Define(bucket.Spec{ID: id, Criteria: bucket.Event("visit").Within(bucket.Week).AtLeast(n)})
}

// Regulars is named unlike its id. Regulars come every week.
var Regulars = active("regular-users", 7)

// All lists every bucket, for a test. Each of them is one bucket all the same.
var All = append(append([]bucket.Definition{Regulars}, ByPlan...), ByCount...)

// None is empty.
var None []bucket.Definition
