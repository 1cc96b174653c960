package table_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/picture"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry/table"
)

var update = flag.Bool("update", false, "draw the pictures of docs/explanation/matching.md anew")

// TestPicture checks that the pictures of docs/explanation/matching.md show the flat form of its
// three buckets, and each step of the search for its event.
func TestPicture(t *testing.T) {
	t.Parallel()
	plan, seats, order := bucket.Text("plan"), bucket.Number("seats"), bucket.Event("order")
	r := registrytest.Build(t,
		bucket.Define(bucket.Spec{ID: "big-teams", Criteria: bucket.All(plan.Is("pro"), seats.AtLeast(10))}),
		bucket.Define(bucket.Spec{ID: "buyers", Criteria: bucket.All(seats.MoreThan(1), order.Within(30*bucket.Day).AtLeast(3))}),
		bucket.Define(bucket.Spec{ID: "upsell", Criteria: bucket.All(plan.Is("free"), order.AtLeast(1))}),
	).Tables()
	f := r.NewFacts("bob").Complete()
	p, _ := r.Property("plan")
	s, _ := r.Property("seats")
	f.SetProperty(p, table.Value{Kind: table.Text, Text: "pro"})
	f.SetProperty(s, table.Value{Kind: table.Number, Number: 5})
	big, _ := r.Bucket("big-teams")
	order5 := table.Change{Event: r.Event("order"), Properties: []table.PropertyIndex{s}}
	drawn(t, "matcher", picture.Terminal("three buckets in the flat form", r.Flat()))
	drawn(t, "matcher-search", picture.Terminal(`an order that sets seats to 5, of bob with plan "pro", a member of big-teams`,
		r.Search(order5, f, []table.BucketIndex{big})))
}

// drawn compares a picture of docs/img with what it should be, or draws it.
func drawn(t *testing.T, name string, want []byte) {
	t.Helper()
	file := "../../docs/img/" + name + ".svg"
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the registry prints (%v); go test ./registry/table -run Picture -update draws it:\n%s", file, err, want)
	}
}
