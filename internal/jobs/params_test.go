package jobs_test

import (
	"errors"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/jobs"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		kind  bucketgen.JobKind
		p     bucketgen.JobParams
		field string // the field that is wrong; empty: none
	}{
		"plan":              {bucketgen.JobPlan, bucketgen.JobParams{Sample: 0.5, Users: -1, Emit: bucketgen.EmitAll}, ""},
		"plan of a bucket":  {bucketgen.JobPlan, bucketgen.JobParams{BucketID: "pro"}, "bucketId"},
		"unknown kind":      {"dance", bucketgen.JobParams{}, "kind"},
		"funnel":            {bucketgen.JobFunnel, bucketgen.JobParams{BucketID: "pro"}, ""},
		"funnel of none":    {bucketgen.JobFunnel, bucketgen.JobParams{}, "bucketId"},
		"sample":            {bucketgen.JobFunnel, bucketgen.JobParams{BucketID: "pro", Sample: 1.5}, "sample"},
		"negative sample":   {bucketgen.JobFunnel, bucketgen.JobParams{BucketID: "pro", Sample: -1}, "sample"},
		"users":             {bucketgen.JobPreview, bucketgen.JobParams{BucketID: "pro", Users: 1001}, "users"},
		"overlap with many": {bucketgen.JobOverlap, bucketgen.JobParams{BucketID: "a", With: []string{"b", "c", "d", "e", "f", "g"}}, "with"},
		"overlap with self": {bucketgen.JobOverlap, bucketgen.JobParams{BucketID: "a", With: []string{"a"}}, "with"},
		"overlap twice":     {bucketgen.JobOverlap, bucketgen.JobParams{BucketID: "a", With: []string{"b", "b"}}, "with"},
		"back-test":         {bucketgen.JobBackTest, bucketgen.JobParams{With: []string{"a", "b"}, Recorded: true}, ""},
		"against both":      {bucketgen.JobBackTest, bucketgen.JobParams{Against: "a", Recorded: true}, "recorded"},
		"flows":             {bucketgen.JobFlows, bucketgen.JobParams{BucketID: "a", WithinSeconds: 60}, ""},
		"flows backwards":   {bucketgen.JobFlows, bucketgen.JobParams{BucketID: "a", Since: begin.Add(time.Hour), Until: begin}, "since"},
		"flows for ever":    {bucketgen.JobFlows, bucketgen.JobParams{BucketID: "a", WithinSeconds: 1 << 40}, "withinSeconds"},
		"reconcile":         {bucketgen.JobReconcile, bucketgen.JobParams{}, ""},
		"reconcile a few":   {bucketgen.JobReconcile, bucketgen.JobParams{Sample: 0.5}, "sample"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := jobs.Check(test.kind, test.p)
			invalid, is := errors.AsType[*bucketgen.InvalidError](err)
			if test.field == "" && err != nil || test.field != "" && (!is || invalid.Field != test.field) {
				t.Errorf("got %v, want the field %q", err, test.field)
			}
		})
	}
}
