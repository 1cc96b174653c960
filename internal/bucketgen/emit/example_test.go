package emit_test

import (
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen"
	events "github.com/bucketgen/bucketgen/internal/bucketgen/testdata/events/want/gen"
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
	// bucket:dwell:everything:every-36h
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
	// Output: map[address:map[country:NO] city:<nil> confirmed:true größe:klein plan:pro score:7.5 tags:[vip press] trial_ends_at:2026-11-23T09:30:00Z]
}

func Example_events() {
	ev := events.PurchaseEvent{
		Amount:     new(12.5),
		Currency:   new(""),
		Gift:       new(false),
		Purchased:  new(time.Date(2026, time.November, 23, 9, 30, 0, 0, time.UTC)),
		Tags:       []string{"vip", "press"},
		Country:    new("NO"),
		PostalCode: new("0150"),
	}.By("ada")
	fmt.Println(ev.UserID, ev.Name, ev.Properties)

	ev = events.CartUpdatedEvent{Order: new("o-1")}.In(bucketgen.Event{
		UserID: "ada", Key: "request-4711", Properties: map[string]any{"lines": 3},
	})
	fmt.Println(ev.Key, ev.Name, ev.Properties)

	ev = events.LoggedInAgainEvent{}.By("ada")
	fmt.Println(ev.Name, ev.Properties == nil)
	// Output:
	// ada purchase map[address:map[country:NO postal code:0150] amount:12.5 currency: gift:false purchased_at:2026-11-23T09:30:00Z tags:[vip press]]
	// request-4711 cart_updated map[lines:3 order:o-1]
	// größe true
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
