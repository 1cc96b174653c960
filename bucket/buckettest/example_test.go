package buckettest_test

import (
	"fmt"
	"testing"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/bucket/buckettest"
	"github.com/bucketgen/bucketgen/gen"
	"github.com/bucketgen/bucketgen/registry"
)

// A test of a bucket ingests events, moves the clock and checks the members.
func Example() {
	t := new(testing.T) // that of the test

	sim := buckettest.New(t, gen.Registry)
	for range 3 {
		sim.Ingest(gen.AppActiveEvent{}.By("ada"))
	}
	sim.Advance(14*bucket.Day - bucket.Second)
	sim.RequireNotMember(gen.WentDormant, "ada")
	sim.Advance(bucket.Second)
	sim.RequireMember(gen.WentDormant, "ada")

	fmt.Println("dormant since", sim.Now())
	// Output: dormant since 2026-01-15 00:00:00 +0000 UTC
}

// Merge turns a visitor into the user who signs up: events of both count together.
func ExampleSim_Merge() {
	t := new(testing.T) // that of the test

	sim := buckettest.New(t, gen.Registry)
	sim.Ingest(gen.AppActiveEvent{}.By("anon-7f3a"))
	sim.Ingest(gen.AppActiveEvent{}.By("anon-7f3a"))
	sim.Ingest(gen.AppActiveEvent{}.By("ada"))
	sim.Merge("anon-7f3a", "ada")
	sim.Advance(14 * bucket.Day)
	sim.RequireMember(gen.WentDormant, "ada")

	fmt.Println(sim.Member(gen.WentDormant, "anon-7f3a"))
	// Output: true
}

// Transitions contains what handlers receive, and the transitions that the entry policy suppresses.
func ExampleSim_Transitions() {
	t := new(testing.T) // that of the test

	sim := buckettest.New(t, gen.Registry)
	sim.Identify("ada", registry.Traits(gen.Properties.Plan.Set("pro")))
	for range 5 {
		sim.Ingest(gen.AppActiveEvent{}.By("ada"))
	}
	sim.Advance(10 * bucket.Day)
	for _, t := range sim.TransitionsOf("ada") {
		fmt.Println(t)
	}
	// Output:
	// 2026-01-01T00:00:00Z ada entered power-users 1
	// 2026-01-08T00:00:00Z ada left power-users 1 by criteria
}
