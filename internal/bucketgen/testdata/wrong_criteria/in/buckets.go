package buckets

import (
	"math"

	"github.com/bucketgen/bucketgen/bucket"
)

var (
	visit = bucket.Event("visit")
	Plan  = bucket.Text("plan")
	Score = bucket.Number("score")
)

var Missing = bucket.Define(bucket.Spec{ID: "missing"})

var unset bucket.Criteria

var Empty = bucket.Define(bucket.Spec{ID: "empty", Criteria: bucket.Any(
	bucket.All[bucket.Criteria](),
	bucket.Any[bucket.Criteria](),
	bucket.Not(unset),
	unset,
)})

var Several = bucket.Define(bucket.Spec{ID: "several", Criteria: bucket.Any(
	bucket.AtLeastOf(0, visit.Exists(), Plan.Exists()),
	bucket.AtLeastOf(3, visit.Exists(), Plan.Exists()),
	bucket.AtLeastOf[bucket.Criteria](1),
	visit.Where(bucket.AtLeastOf(2, visit.Number("n").Is(1))).Exists(),
)})

// Without a positive leaf everybody is in.
var (
	Never      = bucket.Define(bucket.Spec{ID: "never", Criteria: visit.Never()})
	NotExists  = bucket.Define(bucket.Spec{ID: "not-exists", Criteria: bucket.Not(visit.Exists())})
	IsNot      = bucket.Define(bucket.Spec{ID: "is-not", Criteria: bucket.All(Plan.IsNot("pro"), Plan.NotExists())})
	Twice      = bucket.Define(bucket.Spec{ID: "twice", Criteria: bucket.Not(bucket.Not(visit.AtMost(3)))})
	Fewer      = bucket.Define(bucket.Spec{ID: "fewer", Criteria: bucket.Any(visit.LessThan(3), visit.Exactly(0))})
	Everything = bucket.Define(bucket.Spec{ID: "everything", Criteria: bucket.Not(bucket.Any(Plan.Is("pro"), Score.MoreThan(3)))})
)

// With one it is fine.
var (
	Windowed = bucket.Define(bucket.Spec{ID: "windowed", Criteria: visit.Within(bucket.Day).Never()})
	Negated  = bucket.Define(bucket.Spec{ID: "negated", Criteria: bucket.Not(visit.Never())})
	Mixed    = bucket.Define(bucket.Spec{ID: "mixed", Criteria: bucket.All(visit.Never(), Plan.Exists())})
)

var Samples = bucket.Define(bucket.Spec{ID: "samples", Criteria: bucket.Any(
	bucket.Sample(0, "new-checkout"),
	bucket.Sample(-5, "new-checkout"),
	bucket.Sample(100, "new-checkout"),
	bucket.Sample(math.NaN(), "new-checkout"),
	bucket.Sample(10, ""),
	bucket.Sample(10, "a\x00b"),
	bucket.Sample(10, "\xff"),
)})

var Operands = bucket.Define(bucket.Spec{ID: "operands", Criteria: bucket.All(
	Score.AtLeast(math.NaN()),
	Score.LessThan(math.Inf(1)),
	Plan.Is("\xff"),
	Plan.Contains("a\xc3"),
)})
