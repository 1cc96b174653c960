package decide_test

import (
	"testing"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry/table"
)

// TestRepeated says of a user twice that their plan is pro, with some time in between.
func TestRepeated(t *testing.T) {
	t.Parallel()
	plan, since := bucket.Text("plan"), bucket.Time("since")
	traits, err := payload.Parse("traits", []byte(`{"plan":"pro","since":"2026-01-01T00:00:00Z"}`), 1<<10, payload.All)
	if err != nil {
		t.Fatal(err)
	}
	begin := table.At(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC))
	later := bucket.All(plan.Is("pro"), since.MoreThanAgo(bucket.Day))
	for _, test := range []struct {
		name           string
		spec           bucket.Spec
		after          time.Duration
		wantCandidates int // of the second time
		wantSource     bucketgen.Source
	}{
		{"nothing to see", bucket.Spec{Criteria: plan.Is("pro")}, bucket.Hour, 0, ""},
		{"the clock came first", bucket.Spec{Criteria: later}, bucket.Week, 0, bucketgen.SourceClock},
		{"at the instant when it is due", bucket.Spec{Criteria: later}, bucket.Day, 1, bucketgen.SourceEvent},
		{"the clock joins no user", bucket.Spec{Criteria: later, ReconcileJoins: bucket.Off}, bucket.Week, 1, bucketgen.SourceEvent},
		{"kept from it", bucket.Spec{Criteria: plan.Is("pro"), MaxDwell: bucket.Day}, bucket.Week, 1, bucketgen.SourceEvent},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.spec.ID = "b"
			r := registrytest.Build(t, bucket.Define(test.spec))
			st := &decide.State{Contact: decide.Contact{New: true, UpdatedAt: table.Unset}, Facts: r.Tables().NewFacts("ada").Complete(), Complete: true}
			e := decide.Event{Kind: decide.Identify, Event: table.NoEvent, OccurredAt: table.Unset, Traits: traits}
			s := &decide.Session{}
			s.Begin(r.Tables(), st, decide.Options{})
			s.Ingest(e, begin)
			s.Begin(r.Tables(), st, decide.Options{})
			result := s.Ingest(e, begin.Add(test.after))
			var source bucketgen.Source
			if n := len(result.Transitions); n > 0 {
				source = result.Transitions[n-1].Source
			}
			if candidates := s.Changes().Candidates; candidates != test.wantCandidates || source != test.wantSource {
				t.Errorf("got %d candidates and a transition by %q, want %d and %q", candidates, source, test.wantCandidates, test.wantSource)
			}
		})
	}
}
