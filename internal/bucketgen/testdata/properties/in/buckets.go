package buckets

import (
	"time"

	"github.com/bucketgen/bucketgen/bucket"
)

var Texts = bucket.Define(bucket.Spec{ID: "texts", Criteria: bucket.Any(
	Plan.In("trial", "free"),
	bucket.All(Plan.NotIn("pro"), Plan.Exists()),
	Email.HasPrefix("admin@"),
	Email.HasSuffix("@example.com"),
	Email.Matches(`^[a-z]+\+test@`),
)})

var Folded = bucket.Define(bucket.Spec{ID: "folded", Criteria: bucket.Any(
	Plan.IsFold("Straße"),
	Plan.InFold("PRO", "team"),
	Email.ContainsFold("Test"),
	Email.HasPrefixFold("Admin@"),
	Email.HasSuffixFold("@Example.com"),
)})

var Numbers = bucket.Define(bucket.Spec{ID: "numbers", Criteria: bucket.Any(
	Seats.In(10, 5, 0.5),
	bucket.All(Seats.NotIn(3), Seats.Exists()),
	Seats.Between(-1.5, 1e21),
)})

var Times = bucket.Define(bucket.Spec{ID: "times", Criteria: bucket.Any(
	SignedUp.Between(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, time.January, 31, 0, 0, 0, 0, time.UTC)),
	SignedUp.Today("Europe/Berlin"),
	SignedUp.ThisWeek("America/New_York"),
	SignedUp.ThisMonth("UTC"),
)})

var Lists = bucket.Define(bucket.Spec{ID: "lists", Criteria: bucket.Any(
	Tags.Has("beta"),
	Tags.HasAny("vip", "press"),
	Tags.HasAll("b", "a"),
	Tags.Length().Exactly(0),
	Tags.Length().AtLeast(3),
	bucket.All(Tags.Length().AtMost(1), Tags.Exists()),
	bucket.All(Tags.NotExists(), Plan.Is("pro")),
)})

var Paths = bucket.Define(bucket.Spec{ID: "paths", Criteria: bucket.All(
	Country.In("NO", "SE"),
	bucket.Any(city.Is("Oslo"), since.InTheLast(30*bucket.Day), rooms.Has("kitchen"), rooms.NotExists()),
	bucket.Any(staff.AtLeast(10), Company.Exists()),
)})

var History = bucket.Define(bucket.Spec{ID: "history", Criteria: bucket.Any(
	Plan.HasBeen("pro", 30*bucket.Day),
	Seats.HasBeen(5, bucket.Hour),
	Confirmed.HasBeen(false, bucket.Week),
	Plan.Changed().From("free").To("pro").Within(bucket.Day),
	Plan.Changed().Within(bucket.Hour),
	Seats.Changed().From(1).Within(bucket.Day),
	Confirmed.Changed().To(true).Within(bucket.Day),
)})

// OneOfFew is filed under each of its values.
var OneOfFew = bucket.Define(bucket.Spec{ID: "one-of-few", Criteria: bucket.All(Plan.In("team", "pro"), Seats.In(2, 1))})

// Upgraded is filed under what the plan has changed to.
var Upgraded = bucket.Define(bucket.Spec{ID: "upgraded", Criteria: Plan.Changed().To("pro").Within(bucket.Day)})
