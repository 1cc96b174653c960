package bucket_test

import (
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
)

// The examples of properties in docs/reference/criteria.md.

var (
	Plan      = bucket.Text("plan")
	Email     = bucket.Text("email")
	Seats     = bucket.Number("seats")
	Confirmed = bucket.Bool("confirmed")
	TrialEnds = bucket.Time("trial_ends_at")
	Tags      = bucket.List("tags")
	Country   = bucket.Text("address").At("country")
	Role      = bucket.Text("role").TraitsOnly()
)

func ExampleTextOf() {
	reachable := bucket.Define(bucket.Spec{ID: "reachable", Criteria: bucket.Any(
		bucket.All(Plan.Exists(), Plan.IsNot("pro")),
		bucket.All(Plan.NotIn("pro"), Email.Exists()),
		bucket.All(Plan.NotExists(), Email.Exists()),
		Plan.Is("pro"),
		Plan.In("trial", "free"),
		Plan.Contains("team"),
		Email.HasPrefix("admin@"),
		Email.HasSuffix("@example.com"),
		Email.Matches(`^[a-z]+\+test@`),
		Plan.IsFold("PRO"),
		Plan.InFold("pro", "team"),
		Email.ContainsFold("test"),
		Email.HasPrefixFold("Admin@"),
		Email.HasSuffixFold("@Example.com"),
	)})
	fmt.Println(reachable.ID())
	// Output: reachable
}

func ExampleNumberOf() {
	teams := bucket.Define(bucket.Spec{ID: "teams", Criteria: bucket.Any(
		Seats.Is(5),
		bucket.All(Seats.IsNot(5), Seats.NotIn(1), Seats.Exists()),
		Seats.In(5, 10),
		bucket.All(Seats.MoreThan(5), Seats.AtLeast(5), Seats.LessThan(5), Seats.AtMost(5)),
		Seats.Between(5, 50),
	)})
	fmt.Println(teams.ID())
	// Output: teams
}

func ExampleBoolOf() {
	confirmed := bucket.Define(bucket.Spec{ID: "confirmed", Criteria: bucket.Any(
		Confirmed.IsTrue(),
		bucket.All(Confirmed.IsFalse(), Plan.Is("pro")),
	)})
	fmt.Println(confirmed.ID())
	// Output: confirmed
}

func ExampleTimeOf() {
	var (
		d = 3 * bucket.Day
		t = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
		u = time.Date(2026, time.February, 1, 0, 0, 0, 0, time.UTC)
	)
	ending := bucket.Define(bucket.Spec{ID: "trial-ending", Criteria: bucket.Any(
		TrialEnds.Before(t),
		bucket.All(TrialEnds.After(t), TrialEnds.Before(u)),
		TrialEnds.Between(t, u),
		TrialEnds.InTheLast(d),
		TrialEnds.MoreThanAgo(d),
		TrialEnds.InTheNext(d),
		TrialEnds.Today("Europe/Berlin"),
		TrialEnds.ThisWeek("Europe/Berlin"),
		TrialEnds.ThisMonth("Europe/Berlin"),
	)})
	fmt.Println(ending.ID())
	// Output: trial-ending
}

func ExampleListOf() {
	tagged := bucket.Define(bucket.Spec{ID: "tagged", Criteria: bucket.Any(
		Tags.Has("vip"),
		Tags.HasAny("vip", "press"),
		Tags.HasAll("vip", "beta"),
		Tags.Length().Exactly(1),
		Tags.Length().AtLeast(3),
		bucket.All(Tags.Length().AtMost(5), Tags.Exists()),
	)})
	fmt.Println(tagged.ID())
	// Output: tagged
}

func ExampleTextProperty_At() {
	osloites := bucket.Define(bucket.Spec{ID: "osloites", Criteria: bucket.All(
		Country.Is("NO"),
		bucket.Text("address").At("geo", "city").Is("Oslo"),
	)})
	fmt.Println(osloites.ID())
	// Output: osloites
}

func ExampleTextProperty_TraitsOnly() {
	admins := bucket.Define(bucket.Spec{ID: "admins", Criteria: Role.Is("admin")})
	fmt.Println(admins.ID())
	// Output: admins
}

func ExampleTextProperty_HasBeen() {
	const d = 365 * bucket.Day
	loyal := bucket.Define(bucket.Spec{ID: "loyal", Criteria: Plan.HasBeen("pro", d)})
	fmt.Println(loyal.ID())
	// Output: loyal
}

func ExampleTextProperty_Changed() {
	const d = bucket.Week
	upgraded := bucket.Define(bucket.Spec{ID: "just-upgraded", Criteria: Plan.Changed().From("free").To("pro").Within(d)})
	fmt.Println(upgraded.ID())
	// Output: just-upgraded
}
