package buckets

import (
	"time"

	"github.com/bucketgen/bucketgen/bucket"
)

// Texts asks everything that can be asked of texts.
var Texts = bucket.Define(bucket.Spec{ID: "texts", Criteria: bucket.Any(
	Plan.Is("pro"),
	bucket.All(Plan.IsNot("free"), Plan.Exists()),
	bucket.All(Plan.Contains("team"), city.NotExists()),
	city.Is(""),
)})

// Numbers asks everything that can be asked of numbers.
var Numbers = bucket.Define(bucket.Spec{ID: "numbers", Criteria: bucket.Any(
	Score.Is(0),
	bucket.All(Score.IsNot(1.5), Score.Exists()),
	Score.MoreThan(1e21),
	Score.AtLeast(-3),
	Score.LessThan(0.0000001),
	Score.AtMost(1234567.25),
	bucket.Not(Score.NotExists()),
)})

// Bools asks everything that can be asked of bools.
var Bools = bucket.Define(bucket.Spec{ID: "bools", Criteria: bucket.Any(
	Confirmed.IsTrue(),
	Confirmed.IsFalse(),
	bucket.All(Confirmed.Exists(), bucket.Not(Confirmed.NotExists())),
)})

// Times asks everything that can be asked of instants.
var Times = bucket.Define(bucket.Spec{ID: "times", Criteria: bucket.Any(
	TrialEnds.Before(time.Date(2026, time.January, 31, 12, 30, 0, 1000, time.UTC)),
	TrialEnds.After(time.Date(1969, time.December, 31, 0, 0, 0, 0, time.FixedZone("", 3600))),
	TrialEnds.InTheLast(36*bucket.Hour),
	TrialEnds.MoreThanAgo(90*bucket.Minute),
	TrialEnds.InTheNext(bucket.Day),
	bucket.All(TrialEnds.Exists(), bucket.Not(TrialEnds.NotExists())),
)})

// Counts asks everything that can be asked of events, ever.
var Counts = bucket.Define(bucket.Spec{ID: "counts", Criteria: bucket.All(
	bucket.Any(visit.Exists(), visit.Never()),
	bucket.Any(visit.AtLeast(2), visit.MoreThan(2)),
	bucket.Any(Purchase.AtMost(3), Purchase.LessThan(3), Purchase.Exactly(4)),
)})

// Windows asks everything that can be asked of events in a window.
var Windows = bucket.Define(bucket.Spec{ID: "windows", Criteria: bucket.All(
	bucket.Any(visit.Within(bucket.Week).Exists(), visit.Within(30*bucket.Day).Never()),
	bucket.Any(visit.Within(bucket.Second).AtLeast(2), visit.Within(1500*time.Millisecond).MoreThan(2)),
	bucket.Any(
		Purchase.Within(time.Microsecond).AtMost(3),
		Purchase.Within(bucket.Hour).LessThan(3),
		bucket.Not(Purchase.Within(90*bucket.Minute).Exactly(4)),
	),
)})

// Guarded needs two equalities, of which the rarer one is its guard.
var Guarded = bucket.Define(bucket.Spec{ID: "guarded", Criteria: bucket.All(
	Plan.Is("pro"),
	bucket.All(city.Is("Oslo"), visit.Exists()),
)})

// AlsoGuarded shares one of them.
var AlsoGuarded = bucket.Define(bucket.Spec{ID: "also-guarded", Criteria: bucket.All(Plan.Is("pro"), Confirmed.IsTrue())})

// Single is a condition that is no combination.
var Single = bucket.Define(bucket.Spec{ID: "single", Criteria: bucket.All(Plan.Is("pro"))})
