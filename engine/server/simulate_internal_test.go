package server

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestSimulationObeysTheHost refuses what the limits of the host's engine.Config refuse, by name.
func TestSimulationObeysTheHost(t *testing.T) {
	t.Parallel()
	r := registrytest.Build(t, bucket.Define(bucket.Spec{ID: "pro", Criteria: bucket.Text("plan").Is("pro")}))
	s := newSimulation(Host{Registry: r, Config: engine.Config{MaxTraits: 2, MaxTraitBytes: 40}}, time.Time{})
	at := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	for i, test := range []struct{ traits, want string }{
		{`{"a":1,"b":2,"plan":"pro"}`, "would give the user 3 properties, more than the 2 that are allowed"},
		{`{"a":1,"b":2}`, ""},
		{`{"plan":"pro"}`, "would give the user 3 properties, more than the 2 that are allowed"},
		{`{"a":null,"plan":"pro"}`, ""},
		{`{"b":"a text of more than forty bytes, which is long"}`, "more than the 40 that are allowed"},
	} {
		err := s.take(&engine.Event{UserID: "ada", TraitsJSON: []byte(test.traits), OccurredAt: at.Add(time.Duration(i) * time.Hour)})
		invalid, refused := errors.AsType[*engine.InvalidError](err)
		if refused != (test.want != "") || refused && (invalid.Field != "traits" || !strings.Contains(invalid.Problem, test.want)) {
			t.Errorf("%s: got %v, want %q", test.traits, err, test.want)
		}
	}
	if sum := s.summary(); sum.Events != 2 || sum.Buckets[0].Active != 1 {
		t.Errorf("got %+v", sum)
	}
}
