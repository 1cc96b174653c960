package simulate_test

import (
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/internal/refeval/subject"
)

// TestFound plays histories that random tests once found to be wrong.
func TestFound(t *testing.T) {
	t.Parallel()
	exists := &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: "a", Operator: ir.Gte, Count: 1}}
	absent := &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: "a", Operator: ir.Lte, Count: 0, Window: &ir.Window{Last: draw.Hour}}}
	since := &ir.Node{Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: "since", Type: ir.Time, Operator: ir.InTheLast, Span: draw.Hour}}
	guarded := &ir.Node{Op: ir.OpAll, Children: []*ir.Node{exists, {Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: "plan", Type: ir.Text, Operator: ir.Eq, Value: &ir.Value{Text: new("pro")}}}}}
	step := func(h int, op refeval.Op, name string) refeval.Action {
		return refeval.Action{At: draw.Start.Add(time.Duration(h) * draw.Hour), Op: op, User: "ada", Name: name, Bucket: "paused"}
	}
	for _, test := range []struct {
		name        string
		definitions []ir.Definition
		steps       []refeval.Action
	}{
		{
			"an event at the instant of a tick does not swallow it",
			[]ir.Definition{{ID: "b", Kind: ir.Dynamic, Criteria: exists, Ticks: []ir.Tick{{Span: draw.Hour}}}},
			[]refeval.Action{step(0, refeval.Ingest, "a"), step(1, refeval.Ingest, "a")},
		},
		{
			"adding to a paused bucket is refused, and creates no user",
			[]ir.Definition{{ID: "b", Kind: ir.Dynamic, Criteria: absent}, {ID: "paused", Kind: ir.Manual, Disabled: true}},
			[]refeval.Action{step(0, refeval.Add, ""), step(1, refeval.Remove, ""), step(2, refeval.Ingest, "other")},
		},
		{
			"what time.Parse takes for an instant is none",
			[]ir.Definition{{ID: "b", Kind: ir.Dynamic, Criteria: since}},
			[]refeval.Action{{At: draw.Start, Op: refeval.Ingest, User: "ada", Traits: []byte(`{"since":"2026-01-01T3:00:00Z"}`)}},
		},
		{
			"an event at the end of the minimal dwell lets leave, though the criteria failed before it",
			[]ir.Definition{{ID: "b", Kind: ir.Dynamic, Criteria: guarded, MinDwell: 2 * draw.Hour}},
			[]refeval.Action{
				{At: draw.Start, Op: refeval.Ingest, User: "ada", Name: "a", Traits: []byte(`{"plan":"pro"}`)},
				{At: draw.Start.Add(draw.Hour), Op: refeval.Ingest, User: "ada", Traits: []byte(`{"plan":null}`)},
				step(2, refeval.Ingest, "a"),
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := &ir.File{Definitions: test.definitions}
			until := draw.Start.Add(9 * draw.Hour)
			got, err := subject.Simulate(f, test.steps, until)
			if err != nil {
				t.Fatal(err)
			}
			if diff := refeval.Diff(refeval.Run(f, test.steps, until), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
