package table_test

import (
	"testing"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry/table"
)

func TestClosed(t *testing.T) {
	t.Parallel()
	visit, plan, until := bucket.Event("visit"), bucket.Text("plan"), bucket.Time("until")
	for _, test := range []struct {
		name     string
		criteria bucket.Criteria
		want     bool
	}{
		{"another value", bucket.All(visit.Exists(), plan.Is("free")), true},
		{"the value", bucket.All(visit.Exists(), plan.Is("pro")), false},
		{"the value that must not be", bucket.All(visit.Exists(), bucket.Not(plan.Is("pro"))), true},
		{"one of several would do", bucket.Any(visit.Exists(), plan.Is("free")), false},
		{"only time decides", bucket.All(visit.Exists(), until.MoreThanAgo(bucket.Day)), false},
		{"only the event", bucket.All(visit.Exists(), visit.Exists()), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := registrytest.Build(t, bucket.Define(bucket.Spec{ID: "b", Criteria: test.criteria}))
			facts := r.Tables().NewFacts("ada")
			for name, text := range map[string]string{"plan": "pro", "until": "1970-01-01T00:00:00Z"} {
				if p, declared := r.Tables().Property(name); declared {
					facts.SetProperty(p, table.Value{Kind: table.Text, Text: text})
				}
			}
			if got := r.Tables().Closed(0, facts, 0); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
			_, lacking := r.Tables().Evaluate(0, facts, 0)
			if lacks := facts.Lacks(); lacking == test.want || lacking != (len(lacks) > 0) {
				t.Errorf("lacking: got %t and %v, want %t", lacking, lacks, !test.want)
			}
		})
	}
}
