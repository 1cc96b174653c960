package decide_test

import (
	"testing"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry/table"
)

// TestForecast looks ahead for a user who has just visited, in buckets of which one ticks every
// hour for ever.
func TestForecast(t *testing.T) {
	t.Parallel()
	visit, begin := bucket.Event("visit"), table.At(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC))
	hourly := []bucket.Tick{bucket.Every(bucket.Hour)}
	r := registrytest.Build(
		t,
		bucket.Define(bucket.Spec{ID: "always", Criteria: visit.Exists(), Dwell: hourly}),
		bucket.Define(bucket.Spec{ID: "lately", Criteria: bucket.All(bucket.InBucket("always"), visit.Within(bucket.Week).Exists())}),
		bucket.Define(bucket.Spec{ID: "ticking", Criteria: visit.Within(bucket.Week).Exists(), Dwell: hourly}),
		bucket.Define(bucket.Spec{ID: "gone", Criteria: bucket.All(visit.Exists(), visit.Within(bucket.Week).Never()), MaxDwell: bucket.Week}),
	)
	week := begin.Add(bucket.Week)
	for _, test := range []struct {
		name, bucket string
		ticks        bool
		looks        int
		want         bucketgen.Kind // of what comes, at
		at           table.Instant
	}{
		{"a tick", "always", true, 1, bucketgen.Dwell, begin.Add(bucket.Hour)},
		{"nothing but ticks", "always", false, 2, "", table.Never},
		{"ticks of others", "lately", true, 2, bucketgen.Left, week},
		{"a leave after ticks", "ticking", false, 2, bucketgen.Left, week},
		{"a join", "gone", true, 1, bucketgen.Entered, week},
		{"no look", "gone", true, 0, "", week},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			st := &decide.State{Contact: decide.Contact{New: true, UpdatedAt: table.Unset}, Facts: r.Tables().NewFacts("ada").Complete(), Complete: true}
			s := &decide.Session{}
			s.Begin(r.Tables(), st, decide.Options{})
			s.Ingest(decide.Event{Kind: decide.Track, Name: "visit", Event: r.Tables().Event("visit"), OccurredAt: table.Unset}, begin)
			b, _ := r.Tables().Bucket(test.bucket)
			got := s.Forecast(b, test.ticks, test.looks)
			kind := bucketgen.Kind("")
			if len(got.Transitions) > 0 {
				kind = got.Transitions[0].Kind
			}
			if kind != test.want || got.At != test.at {
				t.Errorf("got %q at %s, want %q at %s", kind, got.At, test.want, test.at)
			}
		})
	}
}
