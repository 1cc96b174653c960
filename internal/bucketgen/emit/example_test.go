package emit_test

import (
	"fmt"
	"time"

	families "github.com/bucketgen/bucketgen/internal/bucketgen/testdata/families/want/gen"
	operators "github.com/bucketgen/bucketgen/internal/bucketgen/testdata/operators/want/gen"
	policies "github.com/bucketgen/bucketgen/internal/bucketgen/testdata/policies/want/gen"
	lists "github.com/bucketgen/bucketgen/internal/bucketgen/testdata/properties/want/gen"
	texts "github.com/bucketgen/bucketgen/internal/bucketgen/testdata/texts/want/gen"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// How a program uses generated names, in the golden cases.

func Example_refs() {
	for _, ref := range []registry.BucketRef{policies.Everything, policies.ByHand, policies.EverythingAfter1Day.Bucket()} {
		b, found := policies.Registry.Resolve(ref)
		fmt.Println(ref.ID(), policies.Registry.Tables().Buckets[b].Name, found)
	}
	fmt.Println(policies.Everything.EnteredEvent())
	fmt.Println(policies.ByHand.LeftEvent())
	fmt.Println(policies.EverythingEvery1Day12Hours.Event())

	var manual registry.ManualRef = policies.ByHand
	var dynamic registry.Ref = policies.Plain
	fmt.Println(manual.ID(), dynamic.ID(), families.RegularUsers.ID())
	// Output:
	// everything Every knob true
	// by-hand by-hand true
	// everything Every knob true
	// bucket:entered:everything
	// bucket:left:by-hand
	// bucket:dwell:everything:every-129600000
	// by-hand plain regular-users
}

func Example_properties() {
	traits := registry.Traits(
		operators.Properties.Plan.Set("pro"),
		operators.Properties.Score.Set(7.5),
		operators.Properties.Confirmed.Set(true),
		operators.Properties.TrialEnds.Set(time.Date(2026, time.November, 23, 9, 30, 0, 0, time.UTC)),
		operators.Properties.City.Remove(),
		texts.Properties.Größe.Set("klein"),
		lists.Properties.Tags.Set("vip", "press"),
		lists.Properties.Address.Set(map[string]any{"country": "NO"}),
	)
	fmt.Println(traits)
	// Output: map[address:map[country:NO] city:<nil> confirmed:true größe:klein plan:pro score:7.5
	// tags:[vip press] trial_ends_at:2026-11-23T09:30:00Z]
}

func Example_criteria() {
	r := families.Registry.Tables()
	visit := r.Event("visit")
	facts := r.NewFacts("ada").Complete()
	now := table.At(time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC))
	for day := range 7 {
		for _, s := range r.Events[visit].Signals {
			facts.Add(table.Occurrence{Signal: s, At: now.Add(-time.Duration(day) * 24 * time.Hour)})
		}
	}
	for _, ref := range []registry.Ref{families.Rarely, families.RegularUsers, families.Often} {
		b, _ := families.Registry.Resolve(ref)
		verdict, _ := r.Evaluate(b, facts, now)
		fmt.Println(ref.ID(), verdict.True, verdict.Until)
	}
	// Output:
	// rarely true 2026-11-30T00:00:00Z
	// regular-users true 2026-11-24T00:00:00Z
	// often false never
}
