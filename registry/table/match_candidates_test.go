package table_test

import (
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/registry/table"
)

// TestCandidates changes properties of random users and makes sure that no bucket is passed over of
// which anything changed, whatever else is left out.
func TestCandidates(t *testing.T) {
	t.Parallel()
	draw.Check(t, 5000, func(t *rapid.T) {
		f := &ir.File{}
		for _, id := range []string{"a", "b", "c", "d"} {
			f.Definitions = append(f.Definitions, ir.Definition{ID: id, Kind: ir.Dynamic, Criteria: draw.Criteria(t, 3)})
		}
		r := plan.Build(f).Registry
		known, properties := draw.Facts(t, draw.Start)
		_, carried := draw.Facts(t, draw.Start)
		before, after := r.NewFacts(known.User).Complete(), r.NewFacts(known.User).Complete()
		now := table.At(draw.Clock(t, draw.Start))
		set(t, r, before, properties)
		set(t, r, after, properties)
		c := table.Change{Event: table.NoEvent, Properties: set(t, r, after, carried)}
		var memberOf []table.BucketIndex
		for b := range r.Buckets {
			if r.Holds(table.BucketIndex(b), before, now) {
				memberOf = append(memberOf, table.BucketIndex(b))
			}
		}
		candidates := r.Candidates(nil, c, after, memberOf)
		if sorted := slices.Compact(slices.Sorted(slices.Values(candidates))); !slices.Equal(candidates, sorted) {
			t.Fatalf("got candidates %v, want them sorted and without repetition", candidates)
		}
		for b := range r.Buckets {
			was, _ := r.Evaluate(table.BucketIndex(b), before, now)
			is, _ := r.Evaluate(table.BucketIndex(b), after, now)
			if (was.True != is.True || is.Until < was.Until) && !slices.Contains(candidates, table.BucketIndex(b)) {
				t.Fatalf("bucket %s was %v and is %v, but is none of the candidates %v\n%s and then %s", r.Buckets[b].ID, was, is, candidates, properties, carried)
			}
		}
		if again := r.Candidates(nil, table.Change{Event: table.NoEvent}, after, nil); len(again) > 0 {
			t.Fatalf("nothing is carried, but candidates are %v", again)
		}
	})
}

// set sets properties and returns which they are.
func set(t *rapid.T, r *table.Registry, f *table.Facts, properties []byte) []table.PropertyIndex {
	object, err := payload.Parse("properties", properties, 1<<20, payload.All)
	if err != nil {
		t.Fatal(err)
	}
	var all []table.PropertyIndex
	for _, field := range object.Fields {
		if p, declared := r.Property(field.Key); declared {
			f.SetProperty(p, field.Whole())
			all = append(all, p)
		}
	}
	return all
}

// TestCandidatesOfGuards asks for buckets by the values of their guards, whether few values have
// buckets or most.
func TestCandidatesOfGuards(t *testing.T) {
	t.Parallel()
	for name, values := range map[string]struct{ asked, others int }{
		"few": {2, 0}, "most": {100, 0}, "some of many": {40, 4000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &ir.File{}
			add := func(id, value, other string) {
				f.Definitions = append(f.Definitions, ir.Definition{ID: id, Kind: ir.Dynamic, Criteria: &ir.Node{
					Op: ir.OpAll, Children: []*ir.Node{textIs("plan", value), exists(other)},
				}})
			}
			for i := range values.asked {
				add("asked-"+number(i), number(i), "seats")
			}
			for i := range values.others {
				add("other-"+number(i), "other"+number(i), "name")
			}
			r := plan.Build(f).Registry
			seats, _ := r.Property("seats")
			for i := range values.asked {
				facts := r.NewFacts("ada")
				plan, _ := r.Property("plan")
				facts.SetProperty(plan, table.Value{Kind: table.Text, Text: number(i)})
				facts.SetProperty(seats, table.Value{Kind: table.Number, Number: 1})
				got := r.Candidates(nil, table.Change{Event: table.NoEvent, Properties: []table.PropertyIndex{seats}}, facts, nil)
				want, _ := r.Bucket("asked-" + number(i))
				if !slices.Equal(got, []table.BucketIndex{want}) {
					t.Fatalf("of plan %s got candidates %v, want %v", number(i), got, want)
				}
			}
		})
	}
}

func textIs(name, value string) *ir.Node {
	return &ir.Node{Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: name, Type: ir.Text, Operator: ir.Eq, Value: &ir.Value{Text: &value}}}
}

func exists(name string) *ir.Node {
	return &ir.Node{Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: name, Operator: ir.Exists}}
}

func number(i int) string { return strconv.Itoa(i) }
