package engine_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// TestManyOpenChains leaves far more visits open than are read at first, buys all that were oldest
// at once, and lets the others stop to count at one look.
func TestManyOpenChains(t *testing.T) {
	t.Parallel()
	const visits, bought = 900, 700
	w := newWorld(t, bucket.Define(bucket.Spec{
		ID:       "waiting",
		Criteria: visit.ThenNot(purchase).Within(bucket.Hour).By(visit.Text("order"), purchase.Text("order")).InTheLast(bucket.Day),
	}))
	batch := make([]engine.Event, visits)
	for i := range batch {
		at := epoch.Add(time.Duration(i) * time.Second)
		batch[i] = engine.Event{UserID: "ada", Name: "visit", OccurredAt: at, Properties: map[string]any{"order": strconv.Itoa(i)}}
	}
	w.clock.Advance(visits * time.Second)
	ingestAll(t, w.Engine, batch)
	w.clock.Advance(bucket.Hour - visits*time.Second)
	w.settle()
	equal(t, "member", w.has("waiting", "ada"), true)

	w.clock.Advance(bucket.Hour)
	for i := range batch[:bought] {
		batch[i].Name, batch[i].OccurredAt = "purchase", time.Time{}
	}
	ingestAll(t, w.Engine, batch[:bought])
	equal(t, "member while one waits", w.has("waiting", "ada"), true)

	w.clock.Advance(3 * bucket.Day)
	w.settle()
	left := epoch.Add(bucket.Hour + bucket.Day + (visits-1)*time.Second)
	equal(t, "leaves at that instant", w.count("select count(*) from bucketgen.transitions where kind = 'left' and at = $1", left), 1)
}

// TestLateStep lets the second step of three arrive last.
func TestLateStep(t *testing.T) {
	t.Parallel()
	order := func(e bucket.EventName) bucket.Field { return e.Text("order") }
	refund := bucket.Event("refund")
	w := newWorld(t, bucket.Define(bucket.Spec{
		ID:       "refunded",
		Criteria: visit.Then(purchase).Then(refund).Within(bucket.Day).By(order(visit), order(purchase), order(refund)).InTheLast(bucket.Week),
	}))
	step := func(name string, at time.Time) engine.Event {
		return engine.Event{UserID: "ada", Name: name, OccurredAt: at, Properties: map[string]any{"order": "x"}}
	}
	w.ingest(step("visit", epoch))
	w.clock.Advance(5 * bucket.Hour)
	w.ingest(step("refund", epoch.Add(2*bucket.Hour)))
	equal(t, "member before", w.has("refunded", "ada"), false)
	w.ingest(step("purchase", epoch.Add(bucket.Hour)))
	equal(t, "member", w.has("refunded", "ada"), true)
	w.clock.Advance(30 * bucket.Day)
	w.settle()
	left := epoch.Add(2*bucket.Hour + bucket.Week)
	equal(t, "leaves at that instant", w.count("select count(*) from bucketgen.transitions where kind = 'left' and at = $1", left), 1)
}
