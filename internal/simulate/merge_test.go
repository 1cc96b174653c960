package simulate_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/internal/refeval/subject"
)

// TestMerge merges bob into ada, in the simulator and the reference.
func TestMerge(t *testing.T) {
	t.Parallel()
	twice := &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: "a", Operator: ir.Gte, Count: 2}}
	once := &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: "a", Operator: ir.Gte, Count: 1}}
	never := &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: "b", Operator: ir.Lte}}
	lately := &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: "a", Operator: ir.Gte, Count: 1, Window: &ir.Window{Last: draw.Hour}}}
	for _, test := range []struct {
		name       string
		definition ir.Definition
		steps      string // hour, user and step
		want       string // transitions, without the date
	}{
		{
			"what both did counts together",
			ir.Definition{Kind: ir.Dynamic, Criteria: twice},
			"0 ada a, 1 bob a, 2 bob merge",
			"T02 ada entered x entry count 1 by event",
		},
		{
			"a stay of the loser goes on as the survivor's",
			ir.Definition{Kind: ir.Dynamic, Criteria: once, MaxDwell: 4 * draw.Hour, Ticks: []ir.Tick{{Span: 3 * draw.Hour}}},
			"0 bob a, 1 ada c, 2 bob merge",
			"T00 ada entered x entry count 1 by event; T03 ada dwell x entry count 1 by clock after-3h#1; T04 ada left x entry count 1 by clock because of maxDwell",
		},
		{
			"who was in it as one and matches no more has left",
			ir.Definition{Kind: ir.Dynamic, Criteria: &ir.Node{Op: ir.OpAll, Children: []*ir.Node{once, never}}},
			"0 bob a, 1 ada b, 2 bob merge",
			"T00 ada entered x entry count 1 by event; T02 ada left x entry count 1 by event because of criteria",
		},
		{
			"where both are, one stay goes on, and the other's end is not announced",
			ir.Definition{Kind: ir.Dynamic, Criteria: once},
			"0 ada a, 1 bob a, 2 bob merge",
			"T00 ada entered x entry count 1 by event; T01 bob entered x entry count 1 by event; T02 bob left x entry count 1 by event because of merged (suppressed)",
		},
		{
			"the later of two stays that ended comes last, the earlier stays where it was",
			ir.Definition{Kind: ir.Dynamic, Criteria: lately},
			"0 bob a, 2 ada a, 4 bob a, 6 bob merge, 7 bob a",
			"T00 bob entered x entry count 1 by event; T01 bob left x entry count 1 by clock because of criteria; " +
				"T02 ada entered x entry count 1 by event; T03 ada left x entry count 1 by clock because of criteria; " +
				"T04 ada entered x entry count 2 by event; T05 ada left x entry count 2 by clock because of criteria; " +
				"T07 ada entered x entry count 3 by event; T08 ada left x entry count 3 by clock because of criteria",
		},
		{
			"who entered once under either name has entered",
			ir.Definition{Kind: ir.Dynamic, Criteria: lately, EntryLimit: ir.Once},
			"0 bob a, 6 bob merge, 7 ada a",
			"T00 ada entered x entry count 1 by event; T01 ada left x entry count 1 by clock because of criteria; " +
				"T07 ada entered x entry count 2 by event (suppressed); T08 ada left x entry count 2 by clock because of criteria",
		},
		{
			"a user who was added under either name is in a manual bucket",
			ir.Definition{Kind: ir.Manual},
			"0 bob add, 1 ada c, 2 bob merge, 3 bob remove",
			"T00 ada entered x entry count 1 by manual; T03 ada left x entry count 1 by manual because of manual",
		},
		{
			"of one who is unknown there is the name",
			ir.Definition{Kind: ir.Dynamic, Criteria: once},
			"0 ada c, 1 bob merge, 2 bob a",
			"T02 ada entered x entry count 1 by event",
		},
		{
			"a deleted user is not merged",
			ir.Definition{Kind: ir.Dynamic, Criteria: once},
			"0 bob delete, 0 bob c, 1 bob delete, 2 bob merge, 3 ada a, 4 bob restore, 4 bob a",
			"T03 ada entered x entry count 1 by event; T04 bob entered x entry count 1 by event",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.definition.ID = "x"
			f := &ir.File{Definitions: []ir.Definition{test.definition}}
			steps, until := mergeSteps(t, test.steps), draw.Start.Add(9*draw.Hour)
			want := refeval.Run(f, steps, until)
			lines := make([]string, len(want.Transitions))
			for i, made := range want.Transitions {
				lines[i] = strings.Replace(strings.TrimPrefix(made.String(), "2026-01-01"), ":00:00Z", "", 1)
			}
			slices.Sort(lines) // those of several users come in the order of evaluation
			if diff := cmp.Diff(strings.Split(test.want, "; "), lines); diff != "" {
				t.Errorf("the reference differs (-want +got):\n%s", diff)
			}
			got, err := subject.Simulate(f, steps, until)
			if err != nil {
				t.Fatal(err)
			}
			if diff := refeval.Diff(want, got); diff != "" {
				t.Errorf("reference and simulator differ\n%s", diff)
			}
		})
	}
}

// mergeSteps reads steps like "2 bob merge".
func mergeSteps(t *testing.T, text string) []refeval.Action {
	t.Helper()
	var steps []refeval.Action
	for part := range strings.SplitSeq(text, ", ") {
		words := strings.Fields(part)
		s := refeval.Action{At: draw.Start.Add(time.Duration(words[0][0]-'0') * draw.Hour), User: words[1]}
		switch what := words[2]; what {
		case "merge":
			s.Op, s.Into = refeval.Merge, "ada"
		case "add", "remove":
			s.Op, s.Bucket = refeval.Op(what), "x"
		case "delete", "restore":
			s.Op = refeval.Op(what)
		default:
			s.Op, s.Name = refeval.Ingest, what
		}
		steps = append(steps, s)
	}
	return steps
}
