package engine_test

import (
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// TestAgoOfMany lets far more occurrences pass through a window that ends some time ago than are
// read with it at first: without an evaluation meanwhile, and with one that is late. Joins and
// leaves happen at their instants all the same.
func TestAgoOfMany(t *testing.T) {
	t.Parallel()
	large := purchase.Where(purchase.Number("amount").AtLeast(1))
	w := newWorld(t,
		bucket.Define(bucket.Spec{ID: "log", Criteria: purchase.Ago(2*bucket.Day, bucket.Day).AtLeast(600)}),
		bucket.Define(bucket.Spec{ID: "signal", Criteria: large.Ago(2*bucket.Day, bucket.Day).AtLeast(600)}))
	const events = 900
	batch := make([]engine.Event, events)
	for i := range batch {
		batch[i] = engine.Event{UserID: "ada", Name: "purchase", OccurredAt: epoch.Add(time.Duration(i) * time.Second), Properties: map[string]any{"amount": 1}}
	}
	w.clock.Advance(events * time.Second)
	ingestAll(t, w.Engine, batch)
	equal(t, "member of the log", w.has("log", "ada"), false)

	w.clock.Advance(bucket.Day + bucket.Hour) // all are in the window
	w.settle()
	for _, id := range []string{"log", "signal"} {
		equal(t, "member of "+id, w.has(id, "ada"), true)
		entered := epoch.Add(bucket.Day + 599*time.Second) // the 600th enters
		equal(t, "joins at that instant", w.count("select count(*) from bucketgen.transitions t join bucketgen.buckets b on b.no = t.bucket_no where b.id = $1 and kind = 'entered' and at = $2", id, entered), 1)
	}
	late := epoch.Add(time.Second)
	w.ingest(engine.Event{UserID: "ada", Name: "purchase", OccurredAt: late, Properties: map[string]any{"amount": 1}})
	w.clock.Advance(bucket.Day)
	w.settle()
	for _, id := range []string{"log", "signal"} {
		left := epoch.Add(2*bucket.Day + 300*time.Second) // of 901 the 302 up to second 300 have left
		equal(t, "leaves of "+id+" at that instant", w.count("select count(*) from bucketgen.transitions t join bucketgen.buckets b on b.no = t.bucket_no where b.id = $1 and kind = 'left' and at = $2", id, left), 1)
		equal(t, "member of "+id+" in the end", w.has(id, "ada"), false)
	}
}
