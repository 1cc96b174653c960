package engine_test

import (
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// TestSumOfMany lets far more occurrences leave a window than are read with a sum at first: some
// before the answer changes, then all of the others at one look. Some of them share an instant.
func TestSumOfMany(t *testing.T) {
	t.Parallel()
	amount := purchase.Number("amount")
	w := newWorld(t, bucket.Define(bucket.Spec{ID: "big", Criteria: purchase.Within(bucket.Day).Sum(amount).AtLeast(50)}))
	const events, together = 900, 3
	batch := make([]engine.Event, events)
	for i := range batch {
		at := epoch.Add(time.Duration(i/together) * time.Second)
		batch[i] = engine.Event{UserID: "ada", Name: "purchase", OccurredAt: at, Properties: map[string]any{"amount": 0.1}}
	}
	w.clock.Advance(events / together * time.Second)
	ingestAll(t, w.Engine, batch)
	equal(t, "member", w.has("big", "ada"), true)

	w.clock.Advance(2 * bucket.Day)
	w.settle()
	// After the first 402 have left, 498 are 49.8: those of second 133 are the last of them.
	left := epoch.Add(bucket.Day + 133*time.Second)
	equal(t, "leaves at that instant", w.count("select count(*) from bucketgen.transitions where kind = 'left' and at = $1", left), 1)

	w.ingest(engine.Event{UserID: "ada", Name: "purchase", Properties: map[string]any{"amount": 7}})
	equal(t, "what is left of the sum", w.count("select total::int from bucketgen.sums where count = 1"), 7)
	equal(t, "member again", w.has("big", "ada"), false)
}
