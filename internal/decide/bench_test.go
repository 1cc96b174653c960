package decide_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry/table"
)

// BenchmarkIngest ingests an event of a member of twenty buckets that all ask about it. The user
// neither joins nor leaves, as with most events.
func BenchmarkIngest(b *testing.B) {
	var definitions []bucket.Definition
	for i := range 20 {
		definitions = append(definitions, bucket.Define(bucket.Spec{
			ID: fmt.Sprintf("b%d", i), Criteria: bucket.Event("visit").Within(7 * bucket.Day).Exists(), MaxDwell: 365 * bucket.Day,
		}))
	}
	s, st, r := &decide.Session{}, &decide.State{}, registrytest.Build(b, definitions...)
	*st = decide.State{Contact: decide.Contact{New: true, UpdatedAt: table.Unset}, Facts: r.Tables().NewFacts("ada").Complete(), Complete: true}
	begin := table.At(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC))
	visit := decide.Event{Kind: decide.Track, Name: "visit", Event: r.Tables().Event("visit"), OccurredAt: table.Unset}
	b.ReportAllocs()
	for b.Loop() {
		s.Begin(r.Tables(), st, decide.Options{})
		s.Ingest(visit, begin)
		s.Changes()
	}
}

// BenchmarkRejoin ingests a trait that makes a user leave a bucket and the next that makes them
// join.
func BenchmarkRejoin(b *testing.B) {
	r := registrytest.Build(b, bucket.Define(bucket.Spec{ID: "pro", Criteria: bucket.Text("plan").Is("pro")}))
	st := &decide.State{Contact: decide.Contact{New: true, UpdatedAt: table.Unset}, Facts: r.Tables().NewFacts("ada").Complete(), Complete: true}
	s, begin := &decide.Session{}, table.At(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC))
	var plans [2]decide.Event
	for i, text := range []string{`{"plan":"pro"}`, `{"plan":"free"}`} {
		traits, err := payload.Parse("traits", []byte(text), 1<<10, payload.All)
		if err != nil {
			b.Fatal(err)
		}
		plans[i] = decide.Event{Kind: decide.Identify, Event: table.NoEvent, OccurredAt: table.Unset, Traits: traits}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Begin(r.Tables(), st, decide.Options{})
		s.Ingest(plans[i%2], begin)
		s.Changes()
	}
}
