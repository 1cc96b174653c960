package table_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/picture"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry/table"
)

var update = flag.Bool("update", false, "draw docs/img/matcher.svg anew")

// TestPicture checks that docs/img/matcher.svg shows the flat form of the three buckets of
// docs/explanation/matching.md, and the candidates of its event.
func TestPicture(t *testing.T) {
	t.Parallel()
	plan, seats, order := bucket.Text("plan"), bucket.Number("seats"), bucket.Event("order")
	r := registrytest.Build(t,
		bucket.Define(bucket.Spec{ID: "big-teams", Criteria: bucket.All(plan.Is("pro"), seats.AtLeast(10))}),
		bucket.Define(bucket.Spec{ID: "buyers", Criteria: bucket.All(seats.MoreThan(1), order.Within(30*bucket.Day).AtLeast(3))}),
		bucket.Define(bucket.Spec{ID: "upsell", Criteria: bucket.All(plan.Is("free"), order.AtLeast(1))}),
	).Tables()
	text := r.Flat() + "\nsearch: an order that sets seats to 5, of bob with plan \"pro\", a member of big-teams\n"
	f := r.NewFacts("bob").Complete()
	p, _ := r.Property("plan")
	s, _ := r.Property("seats")
	f.SetProperty(p, table.Value{Kind: table.Text, Text: "pro"})
	f.SetProperty(s, table.Value{Kind: table.Number, Number: 5})
	big, _ := r.Bucket("big-teams")
	for _, b := range r.Candidates(nil, table.Change{Event: r.Event("order"), Properties: []table.PropertyIndex{s}}, f, []table.BucketIndex{big}) {
		text += fmt.Sprintf("  candidate %s\n", r.Buckets[b].ID)
	}
	want := picture.Terminal("three buckets in the flat form, and one event", text)
	const file = "../../docs/img/matcher.svg"
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/img/matcher.svg does not show the flat form (%v); go test ./registry/table -run Picture -update draws it:\n%s", err, text)
	}
}
