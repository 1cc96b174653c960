package buckets_test

import (
	"testing"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/bucket/buckettest"

	"example.com/cdnow/gen"
)

func TestLapsed(t *testing.T) {
	sim := buckettest.New(t, gen.Registry)
	sim.Ingest(gen.PurchaseEvent{CDs: new(2.0), Amount: new(29.99)}.By("ada"))
	sim.Advance(180*bucket.Day - bucket.Second)
	sim.RequireNotMember(gen.Lapsed, "ada")
	sim.Advance(bucket.Second)
	sim.RequireMember(gen.Lapsed, "ada")

	sim.Ingest(gen.PurchaseEvent{}.By("ada"))
	sim.RequireNotMember(gen.Lapsed, "ada")
	sim.RequireMember(gen.RepeatBuyers, "ada")
}

func TestPowerBuyersLeaveByTheClock(t *testing.T) {
	sim := buckettest.New(t, gen.Registry)
	for range 3 {
		sim.Ingest(gen.PurchaseEvent{}.By("ada"))
		sim.Advance(10 * bucket.Day)
	}
	sim.RequireMember(gen.PowerBuyers, "ada")
	sim.Advance(60 * bucket.Day) // the first purchase is 90 days old now
	sim.RequireNotMember(gen.PowerBuyers, "ada")
}
