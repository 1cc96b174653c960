package table_test

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry/table"
)

// TestRangeTests asks about values on both sides of what conditions compare with, and of what has
// no code at all, where tests answer and where a property has too many values for that.
func TestRangeTests(t *testing.T) {
	t.Parallel()
	many := make([]string, 1<<16)
	for i := range many {
		many[i] = "plan-" + strconv.Itoa(i)
	}
	plan, seats, score := bucket.Text("plan"), bucket.Number("seats"), bucket.Number("score")
	text := func(s string) table.Value { return table.Value{Kind: table.Text, Text: s} }
	number := func(n float64) table.Value { return table.Value{Kind: table.Number, Number: n} }
	r := registrytest.Build(
		t,
		bucket.Define(bucket.Spec{ID: "between", Criteria: seats.Between(5, 10)}),
		bucket.Define(bucket.Spec{ID: "not-between", Criteria: bucket.All(plan.Exists(), bucket.Not(seats.Between(5, 10)))}),
		bucket.Define(bucket.Spec{ID: "unequal", Criteria: bucket.All(plan.Exists(), seats.IsNot(7))}),
		bucket.Define(bucket.Spec{ID: "one", Criteria: plan.Is("plan-7")}),
		bucket.Define(bucket.Spec{ID: "many", Criteria: plan.In(many...)}),
		bucket.Define(bucket.Spec{ID: "last", Criteria: bucket.All(plan.Is("plan-65535"), score.MoreThan(1), score.LessThan(9), seats.MoreThan(0), seats.LessThan(9), seats.IsNot(3))}),
	)
	for _, test := range []struct {
		plan, seats, score table.Value
		want               []string
	}{
		{table.Value{}, table.Value{}, table.Value{}, nil},
		{text("other"), number(4.5), number(5), []string{"not-between", "unequal"}},
		{text("plan-7"), number(5), number(5), []string{"between", "many", "one", "unequal"}},
		{text("plan-65535"), number(7), number(5), []string{"between", "last", "many"}},
		{text("plan-65535"), number(3), number(5), []string{"many", "not-between", "unequal"}},
		{text("plan-65535"), number(10), number(9), []string{"between", "many", "unequal"}},
		{number(7), number(10.5), text("5"), []string{"not-between", "unequal"}},
		{text("plan-0"), text("7"), table.Value{}, []string{"many", "not-between", "unequal"}},
	} {
		f := r.Tables().NewFacts("ada")
		for name, v := range map[string]table.Value{"plan": test.plan, "seats": test.seats, "score": test.score} {
			p, _ := r.Tables().Property(name)
			f.SetProperty(p, v)
		}
		var got []string
		for b := range r.Tables().Buckets {
			if r.Tables().Holds(table.BucketIndex(b), f, 0) {
				got = append(got, r.Tables().Buckets[b].ID)
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("plan %s, seats %s, score %s (-want +got):\n%s", test.plan, test.seats, test.score, diff)
		}
	}
}
