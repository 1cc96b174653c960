package refeval_test

import (
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
)

// TestPauses is what becomes of buckets in which nothing moves for a time.
func TestPauses(t *testing.T) {
	t.Parallel()
	play(t, []change{
		{
			"a removed bucket is frozen, and evaluated when it comes back",
			[]ir.Definition{{Criteria: active}, {Criteria: dormant}},
			[]refeval.Action{
				event(0, "a"), deploy(0.5, refeval.Leaves), event(3, "a"),
				deploy(5, refeval.Leaves, ir.Definition{Criteria: active}, ir.Definition{Criteria: dormant}),
			},
			9, "0h entered a 1 event, 5h left a 1 backfill criteria, 5h entered b 1 backfill suppressed",
		},
		{
			"so does one that is disabled",
			[]ir.Definition{{Criteria: active, Ticks: hourly}, {Criteria: member("a")}},
			[]refeval.Action{
				event(0, "a"), deploy(0.5, refeval.Leaves, ir.Definition{Criteria: active, Ticks: hourly, Disabled: true}, ir.Definition{Criteria: member("a")}),
				event(4.5, "b"), event(4.5, "a"), deploy(5, refeval.Leaves, ir.Definition{Criteria: active, Ticks: hourly}, ir.Definition{Criteria: member("a")}),
			},
			9, "0h entered a 1 event, 0h entered b 1 event, 5.5h left a 1 clock criteria, 5.5h left b 1 clock criteria",
		},
		{
			"no user joins or leaves a paused bucket, and others see it unchanged",
			[]ir.Definition{{Criteria: active}, {Criteria: tree(ir.OpAll, member("a"), has("b"))}},
			[]refeval.Action{event(0, "a"), pause(0.5, "a"), event(3, "b"), event(4, "a"), resume(6, "a"), event(7, "a")},
			7.5, "0h entered a 1 event, 3h entered b 1 event, 6h left a 1 backfill criteria, 6h left b 1 backfill criteria, 7h entered a 2 event, 7h entered b 2 event",
		},
		{
			"who matches by then joins as in a deploy",
			[]ir.Definition{{Criteria: active, Ticks: hourly}},
			[]refeval.Action{pause(0, "a"), event(0.5, "a"), resume(1, "a")},
			9, "1h entered a 1 backfill suppressed, 1.5h left a 1 clock criteria",
		},
		{
			"what is due when it is paused does not happen any more",
			[]ir.Definition{{Criteria: active}},
			[]refeval.Action{event(0, "a"), pause(1, "a"), resume(3, "a")},
			9, "0h entered a 1 event, 3h left a 1 backfill criteria",
		},
		{
			"ticks that were missed come as one, by a deploy's rules nothing is silent about that",
			[]ir.Definition{{Criteria: pro, Ticks: append([]ir.Tick{{Span: 90 * time.Minute}}, hourly...)}},
			[]refeval.Action{traits(0, `{"p":"pro"}`), pause(1, "a"), resume(3.5, "a")},
			4, "0h entered a 1 event, 1.5h dwell a 1 backfill after-90m#1, 3h dwell a 1 backfill every-1h#3, 4h dwell a 1 clock every-1h#4",
		},
		{
			"a maximal dwell runs on",
			[]ir.Definition{{Criteria: pro, MaxDwell: 2 * time.Hour, Ticks: hourly}},
			[]refeval.Action{traits(0, `{"p":"pro"}`), pause(0.5, "a"), resume(3.5, "a")},
			9, "0h entered a 1 event, 3.5h left a 1 backfill maxDwell",
		},
		{
			"resuming announces what the last deploy did",
			[]ir.Definition{{Criteria: active}},
			[]refeval.Action{event(0, "a"), deploy(0, refeval.Silent, ir.Definition{Criteria: active}, ir.Definition{Criteria: pro}), pause(0.5, "a"), resume(3, "a")},
			9, "0h entered a 1 event, 3h left a 1 backfill criteria suppressed",
		},
		{
			"to deploy the same is no deploy",
			[]ir.Definition{{Criteria: active}},
			[]refeval.Action{event(0, "a"), deploy(0, refeval.Silent, ir.Definition{Criteria: active}), pause(0.5, "a"), resume(3, "a")},
			9, "0h entered a 1 event, 3h left a 1 backfill criteria",
		},
		{
			"a pause outlasts deploys, which do not evaluate the bucket",
			[]ir.Definition{{Criteria: pro, Ticks: hourly}},
			[]refeval.Action{
				traits(0, `{"p":"pro"}`), pause(0.5, "a"), deploy(1, refeval.Leaves, ir.Definition{Criteria: free, Ticks: hourly}), deploy(2, refeval.Leaves),
				deploy(3, refeval.Leaves, ir.Definition{Criteria: free, Ticks: hourly}), resume(4, "a"),
			},
			9, "0h entered a 1 event, 4h left a 1 backfill criteria",
		},
		{
			"to resume a disabled bucket, or one that is not paused, comes to nothing",
			[]ir.Definition{{Criteria: has("a"), Disabled: true}, {Criteria: dormant, ReconcileJoins: &no}},
			[]refeval.Action{event(0, "a"), pause(1, "a"), resume(2, "a"), resume(2, "b")},
			9, "",
		},
		{
			"no user is added to a paused manual bucket, or removed from it",
			[]ir.Definition{{Kind: ir.Manual, ID: "b", MaxDwell: 3 * time.Hour}},
			[]refeval.Action{do(0, refeval.Add), pause(1, "b"), do(2, refeval.Remove), resume(2.5, "b"), do(3, refeval.Add)},
			9, "0h entered b 1 manual, 3h left b 1 clock maxDwell",
		},
	})
}
