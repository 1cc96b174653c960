package bucket_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/bucket/buckettest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry"
)

// world is a simulation of one bucket.
type world struct {
	*buckettest.Sim
	bucket registry.Ref
}

// simulate does for definitions in a test what buckettest.New(t, gen.Registry) does for generated
// ones.
func simulate(d bucket.Definition) world {
	t := new(testing.T)
	return world{buckettest.New(t, registrytest.Build(t, d)), registry.NewRef(d.ID(), 0)}
}

func (w world) member(userID string) bool { return w.Member(w.bucket, userID) }

func ExampleDefine() {
	var (
		plan   = bucket.Text("plan")
		active = bucket.Event("app.active")
	)
	powerUsers := bucket.Define(bucket.Spec{
		ID: "power-users",
		Criteria: bucket.All(
			plan.Is("pro"),
			active.Within(7*bucket.Day).AtLeast(5),
		),
	})

	sim := simulate(powerUsers)
	sim.Identify("ada", map[string]any{"plan": "pro"})
	for range 5 {
		sim.Track("ada", "app.active", nil)
	}
	fmt.Println("after five visits:", sim.member("ada"))
	sim.Advance(7 * bucket.Day)
	fmt.Println("a week later:", sim.member("ada"))
	// Output:
	// after five visits: true
	// a week later: false
}

// A manual bucket has no criteria: calls add and remove users, here until three months are over.
func ExampleDefine_manual() {
	testers := bucket.Define(bucket.Spec{ID: "beta-testers", Kind: bucket.Manual, MaxDwell: 90 * bucket.Day})

	sim := simulate(testers)
	sim.Add(registry.NewManualRef("beta-testers", 0), "ada")
	fmt.Println(sim.member("ada"))
	sim.Advance(90 * bucket.Day)
	fmt.Println(sim.member("ada"))
	// Output:
	// true
	// false
}

func ExampleAll() {
	var (
		plan    = bucket.Text("plan")
		invited = bucket.Event("colleague.invited")
	)
	teams := bucket.Define(bucket.Spec{ID: "teams", Criteria: bucket.All(plan.Is("pro"), invited.Exists())})

	sim := simulate(teams)
	sim.Identify("ada", map[string]any{"plan": "pro"})
	fmt.Println(sim.member("ada"))
	sim.Track("ada", "colleague.invited", nil)
	fmt.Println(sim.member("ada"))
	// Output:
	// false
	// true
}

func ExampleAny() {
	var (
		daysLeft = bucket.Number("trial_days_left")
		endsAt   = bucket.Time("trial_ends_at")
	)
	ending := bucket.Define(bucket.Spec{
		ID:       "trial-ending",
		Criteria: bucket.Any(daysLeft.AtMost(3), endsAt.InTheNext(3*bucket.Day)),
	})

	sim := simulate(ending)
	sim.Identify("ada", map[string]any{"trial_days_left": 2})
	sim.Identify("bob", map[string]any{"trial_ends_at": sim.Now().Add(bucket.Day)})
	sim.Identify("cyd", map[string]any{"trial_days_left": 20})
	fmt.Println(sim.member("ada"), sim.member("bob"), sim.member("cyd"))
	// Output: true true false
}

// Not holds for users without any facts, too: a user who never unsubscribed may be written to.
func ExampleNot() {
	var (
		purchase     = bucket.Event("purchase")
		unsubscribed = bucket.Bool("unsubscribed")
	)
	customers := bucket.Define(bucket.Spec{
		ID:       "customers-to-write-to",
		Criteria: bucket.All(purchase.Exists(), bucket.Not(unsubscribed.IsTrue())),
	})

	sim := simulate(customers)
	sim.Track("ada", "purchase", nil)
	fmt.Println(sim.member("ada"))
	sim.Identify("ada", map[string]any{"unsubscribed": true})
	fmt.Println(sim.member("ada"))
	// Output:
	// true
	// false
}

func ExampleEvent() {
	purchase := bucket.Event("purchase")
	repeatBuyers := bucket.Define(bucket.Spec{ID: "repeat-buyers", Criteria: purchase.AtLeast(2)})

	sim := simulate(repeatBuyers)
	sim.Track("ada", "purchase", nil)
	fmt.Println(sim.member("ada"))
	sim.Track("ada", "purchase", nil)
	fmt.Println(sim.member("ada"))
	// Output:
	// false
	// true
}

// An event that is exactly as old as the window is no longer in it.
func ExampleEventName_Within() {
	visit := bucket.Event("visit")
	recent := bucket.Define(bucket.Spec{ID: "recent", Criteria: visit.Within(bucket.Hour).Exists()})

	sim := simulate(recent)
	sim.Track("ada", "visit", nil)
	sim.Advance(bucket.Hour - time.Microsecond)
	fmt.Println(sim.member("ada"))
	sim.Advance(time.Microsecond)
	fmt.Println(sim.member("ada"))
	// Output:
	// true
	// false
}

// Staying away is no event. The clock lets users join, at the instant at which two weeks are over.
func ExampleOccurrences_Never() {
	visit := bucket.Event("visit")
	dormant := bucket.Define(bucket.Spec{
		ID:       "dormant",
		Criteria: bucket.All(visit.Exists(), visit.Within(14*bucket.Day).Never()),
	})

	sim := simulate(dormant)
	sim.Track("ada", "visit", nil)
	sim.Advance(20 * bucket.Day)
	sim.Track("ada", "visit", nil)
	for _, t := range sim.Transitions() {
		fmt.Println(t)
	}
	// Output:
	// 2026-01-15T00:00:00Z ada entered dormant 1
	// 2026-01-21T00:00:00Z ada left dormant 1 by criteria
}

func ExampleText() {
	email := bucket.Text("email")
	staff := bucket.Define(bucket.Spec{ID: "staff", Criteria: email.Contains("@example.com")})

	sim := simulate(staff)
	sim.Identify("ada", map[string]any{"email": "ada@example.com"})
	sim.Identify("bob", map[string]any{"email": "bob@example.org"})
	fmt.Println(sim.member("ada"), sim.member("bob"))
	// Output: true false
}

// A value of another type is not a number, even if it spells one.
func ExampleNumber() {
	seats := bucket.Number("seats")
	large := bucket.Define(bucket.Spec{ID: "large-teams", Criteria: seats.AtLeast(50)})

	sim := simulate(large)
	sim.Identify("ada", map[string]any{"seats": 80})
	sim.Identify("bob", map[string]any{"seats": "80"})
	fmt.Println(sim.member("ada"), sim.member("bob"))
	// Output: true false
}

// A missing property is neither true nor false.
func ExampleBool() {
	verified := bucket.Bool("verified")
	unverified := bucket.Define(bucket.Spec{ID: "unverified", Criteria: verified.IsFalse()})

	sim := simulate(unverified)
	sim.Identify("ada", map[string]any{"verified": false})
	sim.Identify("bob", map[string]any{"name": "Bob"})
	fmt.Println(sim.member("ada"), sim.member("bob"))
	// Output: true false
}

func ExampleTime() {
	renewal := bucket.Time("renews_at")
	soon := bucket.Define(bucket.Spec{ID: "renewing-soon", Criteria: renewal.InTheNext(7 * bucket.Day)})

	sim := simulate(soon)
	sim.Identify("ada", map[string]any{"renews_at": "2026-01-31T09:00:00Z"})
	sim.AdvanceTo(time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC))
	for _, t := range sim.Transitions() {
		fmt.Println(t)
	}
	// Output:
	// 2026-01-24T09:00:00Z ada entered renewing-soon 1
	// 2026-01-31T09:00:00Z ada left renewing-soon 1 by criteria
}

// A user who comes and goes is a member each time, but the policy limits the announcements.
func ExampleOncePer() {
	cart := bucket.Bool("cart_full")
	shoppers := bucket.Define(bucket.Spec{ID: "shoppers", Criteria: cart.IsTrue(), Entry: bucket.OncePer(30 * bucket.Day)})

	sim := simulate(shoppers)
	for _, full := range []bool{true, false, true} {
		sim.Identify("ada", map[string]any{"cart_full": full})
		sim.Advance(bucket.Day)
	}
	for _, t := range sim.Transitions() {
		fmt.Println(t)
	}
	fmt.Println(sim.member("ada"))
	// Output:
	// 2026-01-01T00:00:00Z ada entered shoppers 1
	// 2026-01-02T00:00:00Z ada left shoppers 1 by criteria
	// 2026-01-03T00:00:00Z ada entered shoppers 2 (suppressed)
	// true
}

func ExampleEvery() {
	plan := bucket.Text("plan")
	trial := bucket.Define(bucket.Spec{
		ID:       "on-trial",
		Criteria: plan.Is("trial"),
		Dwell:    []bucket.Tick{bucket.Every(5 * bucket.Day)},
	})

	sim := simulate(trial)
	sim.Identify("ada", map[string]any{"plan": "trial"})
	sim.Advance(12 * bucket.Day)
	for _, t := range sim.Transitions() {
		fmt.Println(t.At.Format(time.DateOnly), t.Kind, t.DwellCount)
	}
	// Output:
	// 2026-01-01 entered 0
	// 2026-01-06 dwell 1
	// 2026-01-11 dwell 2
}
