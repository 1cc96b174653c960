package registry_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen/gen"
	"github.com/bucketgen/bucketgen/registry"
)

// Generated properties make traits whose names and types the compiler checks. A removed property is
// null.
func ExampleTraits() {
	traits := registry.Traits(
		gen.Properties.Plan.Set("trial"),
		gen.Properties.TrialEndsAt.Set(time.Date(2026, time.January, 31, 12, 0, 0, 0, time.UTC)),
		gen.Properties.TrialDaysLeft.Remove(),
		gen.Properties.Unsubscribed.Set(false),
	)
	text, err := json.MarshalIndent(traits, "", "  ")
	fmt.Println(string(text), err)
	// Output:
	// {
	//   "plan": "trial",
	//   "trial_days_left": null,
	//   "trial_ends_at": "2026-01-31T12:00:00Z",
	//   "unsubscribed": false
	// } <nil>
}

// A generated ref names a bucket, and the events that announce its transitions.
func ExampleRef() {
	fmt.Println(gen.PowerUsers.ID())
	fmt.Println(gen.PowerUsers.EnteredEvent())
	fmt.Println(gen.PowerUsers.LeftEvent())
	// Output:
	// power-users
	// bucket:entered:power-users
	// bucket:left:power-users
}

// Generated code has a ref for every tick that a definition declares.
func ExampleTickRef() {
	tick := gen.PowerUsersEvery30Days
	fmt.Println(tick.Bucket().ID(), tick.Label())
	fmt.Println(tick.Event())
	// Output:
	// power-users every-30d
	// bucket:dwell:power-users:every-30d
}

func ExampleRegistry_Resolve() {
	i, known := gen.Registry.Resolve(gen.WentDormant)
	fmt.Println(gen.Registry.Tables().Buckets[i].Name, known)
	// Output: Went dormant true
}
