package table_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry/table"
)

// TestTraceReference compares the truth of every condition of random criteria with that of the
// reference, and the whole with the verdict that the engine goes by. A trace needs what the bucket
// does, and so does the verdict unless properties alone answer: then it needs nothing.
func TestTraceReference(t *testing.T) {
	t.Parallel()
	draw.Check(t, 5000, func(t *rapid.T) {
		f := &ir.File{Definitions: []ir.Definition{{ID: "a", Kind: ir.Dynamic, Criteria: draw.Criteria(t, 3)}}}
		r := plan.Build(f).Registry
		known, properties := draw.Facts(t, draw.Start)
		full, _ := factsOf(t, r, known, properties)
		now := draw.Clock(t, draw.Start)
		verdict, _ := r.Evaluate(0, full, table.At(now))
		trace := r.Trace(0, full, table.At(now))
		if trace[0].Verdict != verdict {
			t.Fatalf("the trace says %v, the verdict is %v of %s", trace[0].Verdict, verdict, refeval.DescribeNode(f.Definitions[0].Criteria))
		}
		agree(t, r.Buckets[0].Criteria, trace, 0, f.Definitions[0].Criteria, known, now)

		verdicts, traces := r.NewFacts(known.User), r.NewFacts(known.User) // with nothing loaded
		r.Evaluate(0, verdicts, 0)
		r.Trace(0, traces, 0)
		if diff := cmp.Diff(r.Needs(0), traces.Lacks()); diff != "" {
			t.Fatalf("the trace needs other facts than the bucket of %s\n%s", refeval.DescribeNode(f.Definitions[0].Criteria), diff)
		}
		needs := r.Needs(0)
		if r.Closed(0, verdicts, 0) {
			needs = nil
		}
		if diff := cmp.Diff(needs, verdicts.Lacks()); diff != "" {
			t.Fatalf("the verdict needs other facts than the bucket of %s\n%s", refeval.DescribeNode(f.Definitions[0].Criteria), diff)
		}
	})
}

// agree compares a node at a position with the same in the definition, and all that it combines.
func agree(t *rapid.T, nodes []table.Node, trace []table.Traced, position int, n *ir.Node, known *refeval.Facts, now time.Time) {
	if got, want := trace[position].True, refeval.Holds(n, known, now); got != want {
		t.Fatalf("the trace says %t, the reference %t at %s of %s", got, want, now, refeval.DescribeNode(n))
	}
	if c := trace[position].Evidence.Counted; c != nil && nodes[position].Op == table.OpAtLeast && (c.Count >= nodes[position].Count) != trace[position].True {
		t.Fatalf("the trace says %t and counts %d of %s", trace[position].True, c.Count, refeval.DescribeNode(n))
	}
	child := position + 1
	for _, c := range n.Children {
		agree(t, nodes, trace, child, c, known, now)
		child += nodes[child].Size
	}
}

// TestEvidence checks what conditions are said to rest on. It is 10 hours after the beginning;
// visits were at hours 2, 7 and 9, of 1, 10 and 0.5 pages.
func TestEvidence(t *testing.T) {
	t.Parallel()
	const h = bucket.Hour
	visit, buy, plan := bucket.Event("visit"), bucket.Event("buy"), bucket.Text("plan")
	pages, kind := visit.Number("pages"), visit.Text("kind")
	at := func(hour int) table.Instant { return table.At(draw.Start.Add(time.Duration(hour) * h)) }
	for _, test := range []struct {
		name     string
		criteria bucket.Criteria
		want     table.Evidence
	}{
		{"property", plan.Is("free"), table.Evidence{Value: text("pro"), At: table.Unset}},
		{
			"history", plan.HasBeen("pro", h),
			table.Evidence{Value: text("pro"), At: table.Unset, LastChange: &table.LastChange{Was: text("free"), At: at(3)}},
		},
		{"ever", visit.Exists(), counted(3, at(9))},
		{"none", buy.Never(), counted(0, table.Unset)},
		{"too few", visit.Within(5 * h).AtLeast(3), counted(2, at(9))},
		{"enough", visit.Within(5 * h).AtLeast(2), resting(more(2, at(9)), 2, at(7), at(12))},
		{"too many", visit.Within(9 * h).AtMost(2), resting(more(3, at(9)), 3, at(2), at(11))},
		{"exactly", visit.Within(5 * h).Exactly(2), resting(counted(2, at(9)), 2, at(7), at(12))},
		{"ago", visit.Ago(9*h, 2*h).AtLeast(1), resting(counted(2, at(7)), 1, at(7), at(16))},
		{
			"different values", visit.Within(5 * h).Distinct(kind).AtLeast(1),
			func() table.Evidence {
				e := resting(more(1, at(9)), 1, at(9), at(14))
				e.Counted.Groups = []table.Dated{{At: at(9), Group: `"b"`}}
				return e
			}(),
		},
		{"first", kind.Of(visit.First()).Is("b"), table.Evidence{Value: text("a"), At: at(2)}},
		{"last", kind.Of(visit.Last()).Is("b"), table.Evidence{Value: text("b"), At: at(9)}},
		{"first time", visit.FirstTimeWithin(h), table.Evidence{At: at(2)}},
		{
			"sum", visit.Within(5 * h).Sum(pages).AtLeast(100),
			table.Evidence{At: table.Unset, Quantity: &table.Quantity{Total: big.NewRat(21, 2), Count: 2, Leaves: at(12)}},
		},
		{
			"maximum", visit.Within(5 * h).Max(pages).AtMost(5),
			table.Evidence{
				At: table.Unset, Counted: resting(more(1, at(9)), 1, at(9), at(14)).Counted,
				Other: resting(more(1, at(7)), 1, at(7), at(12)).Counted,
			},
		},
		{
			"completed", visit.ThenWithin(3*h, visit).Exists(),
			table.Evidence{At: table.Unset, Chain: &table.Chain{Steps: 2, Begin: at(7), End: at(9)}},
		},
		{
			"begun", visit.ThenWithin(h, buy).Exists(),
			table.Evidence{At: table.Unset, Chain: &table.Chain{Steps: 1, Begin: at(9), End: at(9)}},
		},
		{
			"unanswered", visit.ThenNot(buy).Within(h).By(kind, buy.Text("kind")).Exists(),
			table.Evidence{At: table.Unset, Chain: &table.Chain{
				Begin: table.Unset, End: table.Unset, Open: []table.OpenChain{{At: at(7), Key: `"a"`}, {At: at(9), Key: `"b"`}},
			}},
		},
		{"sample", bucket.Sample(50, "salt"), table.Evidence{At: table.Unset, Draw: 4.800742490318824}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := registrytest.Build(t, bucket.Define(bucket.Spec{ID: "it", Criteria: bucket.All(bucket.Event("login").Exists(), test.criteria)}))
			f := r.Tables().NewFacts("ada").Complete()
			if p, known := r.Tables().Property("plan"); known {
				f.SetProperty(p, text("pro"))
				f.SetLastChange(table.LastChange{Property: p, Was: text("free"), At: at(3)})
			}
			for _, v := range []struct {
				hour  int
				pages float64
				kind  string
			}{{2, 1, "a"}, {7, 10, "a"}, {9, 0.5, "b"}} {
				happened := r.Tables().Occurrences(nil, r.Tables().Event("visit"), at(v.hour), func(name string) table.Value {
					return map[string]table.Value{"pages": {Kind: table.Number, Number: v.pages}, "kind": text(v.kind)}[name]
				})
				for _, o := range happened {
					f.Add(o)
				}
				for _, a := range r.Tables().Advances(nil, happened) {
					f.Advance(a)
				}
			}
			position := 2
			if r.Tables().Buckets[0].Criteria[position].Op == table.OpNot {
				position++
			}
			rationals := cmp.Comparer(func(a, b *big.Rat) bool { return a.Cmp(b) == 0 })
			values := cmp.Comparer(func(a, b table.Value) bool { return a.Compare(b) == 0 }) // Equal, of missing ones, is not
			if diff := cmp.Diff(test.want, r.Tables().Trace(0, f, at(10))[position].Evidence, rationals, values); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func text(s string) table.Value { return table.Value{Kind: table.Text, Text: s} }

func counted(n int, newest table.Instant) table.Evidence {
	return table.Evidence{At: table.Unset, Counted: &table.Counted{Count: n, Newest: newest, Deciding: table.Unset, Leaves: table.Never}}
}

func more(n int, newest table.Instant) table.Evidence {
	e := counted(n, newest)
	e.Counted.More = true
	return e
}

func resting(e table.Evidence, rank int, at, leaves table.Instant) table.Evidence {
	e.Counted.Rank, e.Counted.Deciding, e.Counted.Leaves = rank, at, leaves
	return e
}
