package refeval_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
)

// defined gives definitions the ids a, b and so on.
func defined(definitions ...ir.Definition) *ir.File {
	f := &ir.File{}
	for i, d := range definitions {
		if d.ID == "" {
			d.ID = string(rune('a' + i))
		}
		if d.Kind == "" {
			d.Kind = ir.Dynamic
		}
		f.Definitions = append(f.Definitions, d)
	}
	return f
}

func deploy(h float64, emit refeval.Emit, definitions ...ir.Definition) refeval.Step {
	return refeval.Step{At: hours(h), Op: refeval.Deploy, Definitions: defined(definitions...), Emit: emit}
}

func pause(h float64, bucket string) refeval.Step {
	return refeval.Step{At: hours(h), Op: refeval.Pause, Bucket: bucket}
}

func resume(h float64, bucket string) refeval.Step {
	return refeval.Step{At: hours(h), Op: refeval.Resume, Bucket: bucket}
}

func has(event string) *ir.Node {
	return &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: event, Operator: ir.Gte, Count: 1}}
}

func member(bucket string) *ir.Node { return &ir.Node{Op: ir.OpMember, Bucket: bucket} }

func tree(op ir.Op, children ...*ir.Node) *ir.Node { return &ir.Node{Op: op, Children: children} }

var (
	pro     = property(ir.Text, ir.Eq, `"pro"`, 0)
	free    = property(ir.Text, ir.Eq, `"free"`, 0)
	active  = within(1, ir.Gte, 1)
	dormant = within(1, ir.Lte, 0)
	hourly  = []ir.Tick{{Every: true, Span: time.Hour}}
	no      = false
)

// change is a history in which definitions change, or buckets are paused. Everything happens to one user "u".
type change struct {
	name   string
	before []ir.Definition
	steps  []refeval.Step
	until  float64
	want   string
}

func play(t *testing.T, changes []change) {
	t.Helper()
	for _, test := range changes {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := refeval.Run(defined(test.before...), test.steps, hours(test.until))
			if diff := cmp.Diff(test.want, strings.Join(lines(h, true), ", ")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestBackfill is who joins and leaves when definitions change.
func TestBackfill(t *testing.T) {
	t.Parallel()
	play(t, []change{
		{
			"whoever matched before joins a new bucket silently, whoever comes to match is announced",
			nil,
			[]refeval.Step{event(0, "a"), deploy(1, refeval.Leaves, ir.Definition{Criteria: has("a")}, ir.Definition{Criteria: has("b")}), event(2, "a"), event(2, "b")},
			9, "1h entered a 1 backfill suppressed, 2h entered b 1 event",
		},
		{
			"joins are announced if all is to be",
			nil,
			[]refeval.Step{event(0, "a"), deploy(1, refeval.All, ir.Definition{Criteria: has("a")})},
			9, "1h entered a 1 backfill",
		},
		{
			"and if the entry policy lets them be",
			[]ir.Definition{{Criteria: pro}},
			[]refeval.Step{
				traits(0, `{"p":"pro"}`), traits(1, `{"p":0}`), traits(2, `{"p":"free"}`),
				deploy(3, refeval.All, ir.Definition{Criteria: free, EntryLimit: ir.Once}),
			},
			9, "0h entered a 1 event, 1h left a 1 event criteria, 3h entered a 2 backfill suppressed",
		},
		{
			"a silent stay uses up the one entry that is announced",
			nil,
			[]refeval.Step{
				traits(0, `{"p":"pro"}`), deploy(1, refeval.Leaves, ir.Definition{Criteria: pro, EntryLimit: ir.Once}),
				traits(2, `{"p":0}`), traits(3, `{"p":"pro"}`),
			},
			9, "1h entered a 1 backfill suppressed, 2h left a 1 event criteria, 3h entered a 2 event suppressed",
		},
		{
			"whoever does not match any more leaves, and that is announced",
			[]ir.Definition{{Criteria: pro}},
			[]refeval.Step{traits(0, `{"p":"pro"}`), deploy(1, refeval.Leaves, ir.Definition{Criteria: free}), traits(2, `{"p":"free"}`)},
			9, "0h entered a 1 event, 1h left a 1 backfill criteria, 2h entered a 2 event",
		},
		{
			"unless nothing is to be",
			[]ir.Definition{{Criteria: pro}},
			[]refeval.Step{traits(0, `{"p":"pro"}`), deploy(1, refeval.Silent, ir.Definition{Criteria: free})},
			9, "0h entered a 1 event, 1h left a 1 backfill criteria suppressed",
		},
		{
			"a minimal dwell defers the leave, which is then announced whatever was deployed",
			[]ir.Definition{{Criteria: pro, MinDwell: 3 * time.Hour}},
			[]refeval.Step{traits(0, `{"p":"pro"}`), deploy(1, refeval.Silent, ir.Definition{Criteria: free, MinDwell: 3 * time.Hour})},
			9, "0h entered a 1 event, 3h left a 1 clock criteria",
		},
		{
			"a shorter minimal dwell is over already",
			[]ir.Definition{{Criteria: pro, MinDwell: 5 * time.Hour}},
			[]refeval.Step{traits(0, `{"p":"pro"}`), traits(1, `{"p":0}`), deploy(2, refeval.Leaves, ir.Definition{Criteria: pro, MinDwell: time.Hour})},
			9, "0h entered a 1 event, 2h left a 1 backfill criteria",
		},
		{
			"so is a shorter maximal dwell, and it keeps the user out",
			[]ir.Definition{{Criteria: pro}},
			[]refeval.Step{
				traits(0, `{"p":"pro"}`), deploy(2, refeval.Leaves, ir.Definition{Criteria: pro, MaxDwell: time.Hour}),
				deploy(3, refeval.All, ir.Definition{Criteria: pro, MaxDwell: 2 * time.Hour}), traits(4, `{"p":"pro"}`),
			},
			5, "0h entered a 1 event, 2h left a 1 backfill maxDwell, 4h entered a 2 event",
		},
		{
			"until a deploy finds that the criteria fails",
			[]ir.Definition{{Criteria: pro, MaxDwell: time.Hour}},
			[]refeval.Step{
				traits(0, `{"p":"pro"}`), deploy(2, refeval.Leaves, ir.Definition{Criteria: free, MaxDwell: time.Hour}),
				deploy(3, refeval.Leaves, ir.Definition{Criteria: pro, MaxDwell: 3 * time.Hour}),
			},
			7, "0h entered a 1 event, 1h left a 1 clock maxDwell, 3h entered a 2 backfill suppressed, 6h left a 2 clock maxDwell",
		},
		{
			"a bucket that no clock lets anybody join is backfilled all the same",
			[]ir.Definition{{Criteria: dormant, ReconcileJoins: &no}},
			[]refeval.Step{event(0, "a"), deploy(2, refeval.Leaves, ir.Definition{Criteria: dormant, ReconcileJoins: &no, EntryLimit: ir.Once})},
			9, "2h entered a 1 backfill suppressed",
		},
		{
			"what follows has the same cause, and is as silent",
			[]ir.Definition{
				{Criteria: tree(ir.OpAll, member("b"), has("a"))},
				{Criteria: pro},
				{Criteria: tree(ir.OpAll, tree(ir.OpNot, member("b")), has("a"))},
			},
			[]refeval.Step{
				traits(0, `{"p":"free"}`), event(0, "a"),
				deploy(1, refeval.Silent, ir.Definition{Criteria: tree(ir.OpAll, member("b"), has("a"))}, ir.Definition{Criteria: free}, ir.Definition{Criteria: tree(ir.OpAll, tree(ir.OpNot, member("b")), has("a"))}),
			},
			9, "0h entered c 1 event, 1h entered b 1 backfill suppressed, 1h left c 1 backfill criteria suppressed, 1h entered a 1 backfill suppressed",
		},
		{
			"of a bucket that only follows no time is up",
			[]ir.Definition{{Criteria: pro}, {Criteria: tree(ir.OpAny, member("a"), has("a")), MaxDwell: 2 * time.Hour}},
			[]refeval.Step{
				traits(0, `{"p":"free"}`), event(0, "a"),
				deploy(2, refeval.Leaves, ir.Definition{Criteria: free}, ir.Definition{Criteria: tree(ir.OpAny, member("a"), has("a")), MaxDwell: 2 * time.Hour}),
			},
			9, "0h entered b 1 event, 2h entered a 1 backfill suppressed, 2h left b 1 clock maxDwell",
		},
	})
}

// TestTicksOfDeploys is what becomes of ticks when definitions change.
func TestTicksOfDeploys(t *testing.T) {
	t.Parallel()
	play(t, []change{
		{
			"ticks that are due by then go by, and the others go on counting",
			[]ir.Definition{{Criteria: pro, Ticks: []ir.Tick{{Span: 5 * time.Hour}}}},
			[]refeval.Step{traits(0, `{"p":"pro"}`), deploy(2, refeval.Leaves, ir.Definition{Criteria: pro, Ticks: hourly})},
			3, "0h entered a 1 event, 3h dwell a 1 clock every-3600000#3",
		},
		{
			"of an unchanged bucket none goes by",
			[]ir.Definition{{Criteria: pro, Ticks: hourly, Name: "One"}},
			[]refeval.Step{traits(0, `{"p":"pro"}`), deploy(1, refeval.Silent, ir.Definition{Criteria: pro, Ticks: hourly, Name: "Another", Description: "With words."})},
			2, "0h entered a 1 event, 1h dwell a 1 clock every-3600000#1, 2h dwell a 1 clock every-3600000#2",
		},
		{
			"ticks of a backfilled stay count from when it would have begun",
			nil,
			[]refeval.Step{event(0, "a"), deploy(2, refeval.Leaves, ir.Definition{Criteria: has("a"), Ticks: hourly, MinDwell: time.Hour, MaxDwell: 2 * time.Hour})},
			9, "2h entered a 1 backfill suppressed, 3h dwell a 1 clock every-3600000#3, 4h left a 1 clock maxDwell",
		},
		{
			"or from the deploy, if that is not known",
			nil,
			[]refeval.Step{traits(0, `{"p":"pro"}`), deploy(2.5, refeval.Leaves, ir.Definition{Criteria: pro, Ticks: hourly})},
			3.5, "2.5h entered a 1 backfill suppressed, 3.5h dwell a 1 clock every-3600000#1",
		},
	})
}

// TestOrderOfDeploys is what comes before a change of definitions and what after it, and what it knows.
func TestOrderOfDeploys(t *testing.T) {
	t.Parallel()
	play(t, []change{
		{
			"what was due before happens by the definitions that were, and what is due at that instant by the new ones",
			[]ir.Definition{{Criteria: active}, {Criteria: dormant}, {Criteria: within(2, ir.Gte, 1)}},
			[]refeval.Step{
				event(0, "a"),
				deploy(2, refeval.Leaves, ir.Definition{Criteria: has("a")}, ir.Definition{Criteria: dormant}, ir.Definition{Criteria: within(3, ir.Gte, 1)}),
			},
			9, "0h entered a 1 event, 0h entered c 1 event, 1h left a 1 clock criteria, 1h entered b 1 clock, 2h entered a 2 backfill suppressed, 3h left c 1 clock criteria",
		},
		{
			"an event at that instant comes after it",
			[]ir.Definition{{Criteria: pro}},
			[]refeval.Step{event(0, "b"), deploy(1, refeval.Leaves, ir.Definition{Criteria: has("a")}), event(1, "a")},
			9, "1h entered a 1 event",
		},
		{
			"the deleted are looked at when they come back",
			nil,
			[]refeval.Step{event(0, "a"), do(1, refeval.Delete), deploy(2, refeval.All, ir.Definition{Criteria: has("a")}), do(3, refeval.Restore)},
			9, "3h entered a 1 reconcile",
		},
		{
			"a property that was not declared when it came is known all the same",
			nil,
			[]refeval.Step{traits(0, `{"p":"pro"}`), deploy(1, refeval.Leaves, ir.Definition{Criteria: pro}), {At: hours(2), Op: refeval.Ingest, User: "u", Name: "a", Properties: []byte(`{"p":0}`)}},
			9, "1h entered a 1 backfill suppressed, 2h left a 1 event criteria",
		},
		{
			"a payload is not read again",
			nil,
			[]refeval.Step{{At: hours(0), Op: refeval.Ingest, User: "u", Name: "a", Properties: []byte(`{"p":"pro"}`)}, deploy(1, refeval.Leaves, ir.Definition{Criteria: pro})},
			9, "",
		},
		{
			"a dynamic bucket becomes manual, and the other way round",
			[]ir.Definition{{Criteria: pro}, {Kind: ir.Manual}},
			[]refeval.Step{
				traits(0, `{"p":"pro"}`), do(0, refeval.Add),
				deploy(1, refeval.Leaves, ir.Definition{Kind: ir.Manual}, ir.Definition{Criteria: free}), traits(2, `{"p":"free"}`),
				do(3, refeval.Remove),
			},
			9, "0h entered a 1 event, 0h entered b 1 manual, 1h left b 1 backfill criteria, 2h entered b 2 event",
		},
	})
}

// TestPauses is what becomes of buckets in which nothing moves for a time.
func TestPauses(t *testing.T) {
	t.Parallel()
	play(t, []change{
		{
			"a removed bucket stands still, and is looked at when it comes back",
			[]ir.Definition{{Criteria: active}, {Criteria: dormant}},
			[]refeval.Step{
				event(0, "a"), deploy(0.5, refeval.Leaves), event(3, "a"),
				deploy(5, refeval.Leaves, ir.Definition{Criteria: active}, ir.Definition{Criteria: dormant}),
			},
			9, "0h entered a 1 event, 5h left a 1 backfill criteria, 5h entered b 1 backfill suppressed",
		},
		{
			"so does one that is disabled",
			[]ir.Definition{{Criteria: active, Ticks: hourly}, {Criteria: member("a")}},
			[]refeval.Step{
				event(0, "a"), deploy(0.5, refeval.Leaves, ir.Definition{Criteria: active, Ticks: hourly, Disabled: true}, ir.Definition{Criteria: member("a")}),
				event(4.5, "b"), event(4.5, "a"), deploy(5, refeval.Leaves, ir.Definition{Criteria: active, Ticks: hourly}, ir.Definition{Criteria: member("a")}),
			},
			9, "0h entered a 1 event, 0h entered b 1 event, 5.5h left a 1 clock criteria, 5.5h left b 1 clock criteria",
		},
		{
			"nobody moves while a bucket is paused, and others see it as it stands",
			[]ir.Definition{{Criteria: active}, {Criteria: tree(ir.OpAll, member("a"), has("b"))}},
			[]refeval.Step{event(0, "a"), pause(0.5, "a"), event(3, "b"), event(4, "a"), resume(6, "a"), event(7, "a")},
			7.5, "0h entered a 1 event, 3h entered b 1 event, 6h left a 1 backfill criteria, 6h left b 1 backfill criteria, 7h entered a 2 event, 7h entered b 2 event",
		},
		{
			"who matches by then joins as in a deploy",
			[]ir.Definition{{Criteria: active, Ticks: hourly}},
			[]refeval.Step{pause(0, "a"), event(0.5, "a"), resume(1, "a")},
			9, "1h entered a 1 backfill suppressed, 1.5h left a 1 clock criteria",
		},
		{
			"what is due when it is paused does not happen any more",
			[]ir.Definition{{Criteria: active}},
			[]refeval.Step{event(0, "a"), pause(1, "a"), resume(3, "a")},
			9, "0h entered a 1 event, 3h left a 1 backfill criteria",
		},
		{
			"ticks that were missed come as one, by a deploy's rules nothing is silent about that",
			[]ir.Definition{{Criteria: pro, Ticks: append([]ir.Tick{{Span: 90 * time.Minute}}, hourly...)}},
			[]refeval.Step{traits(0, `{"p":"pro"}`), pause(1, "a"), resume(3.5, "a")},
			4, "0h entered a 1 event, 1.5h dwell a 1 backfill after-5400000#1, 3h dwell a 1 backfill every-3600000#3, 4h dwell a 1 clock every-3600000#4",
		},
		{
			"a maximal dwell runs on",
			[]ir.Definition{{Criteria: pro, MaxDwell: 2 * time.Hour, Ticks: hourly}},
			[]refeval.Step{traits(0, `{"p":"pro"}`), pause(0.5, "a"), resume(3.5, "a")},
			9, "0h entered a 1 event, 3.5h left a 1 backfill maxDwell",
		},
		{
			"resuming announces what the last deploy did",
			[]ir.Definition{{Criteria: active}},
			[]refeval.Step{event(0, "a"), deploy(0, refeval.Silent, ir.Definition{Criteria: active}, ir.Definition{Criteria: pro}), pause(0.5, "a"), resume(3, "a")},
			9, "0h entered a 1 event, 3h left a 1 backfill criteria suppressed",
		},
		{
			"to deploy the same is no deploy",
			[]ir.Definition{{Criteria: active}},
			[]refeval.Step{event(0, "a"), deploy(0, refeval.Silent, ir.Definition{Criteria: active}), pause(0.5, "a"), resume(3, "a")},
			9, "0h entered a 1 event, 3h left a 1 backfill criteria",
		},
		{
			"a pause outlasts deploys, which do not look at the bucket",
			[]ir.Definition{{Criteria: pro, Ticks: hourly}},
			[]refeval.Step{
				traits(0, `{"p":"pro"}`), pause(0.5, "a"), deploy(1, refeval.Leaves, ir.Definition{Criteria: free, Ticks: hourly}), deploy(2, refeval.Leaves),
				deploy(3, refeval.Leaves, ir.Definition{Criteria: free, Ticks: hourly}), resume(4, "a"),
			},
			9, "0h entered a 1 event, 4h left a 1 backfill criteria",
		},
		{
			"to resume a disabled bucket, or one that is not paused, comes to nothing",
			[]ir.Definition{{Criteria: has("a"), Disabled: true}, {Criteria: dormant, ReconcileJoins: &no}},
			[]refeval.Step{event(0, "a"), pause(1, "a"), resume(2, "a"), resume(2, "b")},
			9, "",
		},
		{
			"nobody is added to a manual bucket that is paused, or removed from it",
			[]ir.Definition{{Kind: ir.Manual, ID: "b", MaxDwell: 3 * time.Hour}},
			[]refeval.Step{do(0, refeval.Add), pause(1, "b"), do(2, refeval.Remove), resume(2.5, "b"), do(3, refeval.Add)},
			9, "0h entered b 1 manual, 3h left b 1 clock maxDwell",
		},
	})
}

// TestAnchors checks from when the ticks of a backfilled stay count, by the first that comes: the deploy is after ten and
// a half hours, and a tick is due each full hour since then.
func TestAnchors(t *testing.T) {
	t.Parallel()
	not := func(n *ir.Node) *ir.Node { return tree(ir.OpNot, n) }
	atMost := func(event string, h int) *ir.Node {
		return &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: event, Operator: ir.Lte, Window: &ir.Window{Last: time.Duration(h) * time.Hour}}}
	}
	greatest := func(v float64) *ir.Node {
		return &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{
			Name: "n", Operator: ir.Gte, Aggregate: ir.Max, Number: &v, Field: &ir.PropertyCheck{Event: "n", Name: "n", Type: ir.Number},
		}}
	}
	changed := func(n *ir.Node, change func(*ir.EventCheck)) *ir.Node {
		copied := *n.Event
		change(&copied)
		return &ir.Node{Op: ir.OpEvent, Event: &copied}
	}
	unknown, never := not(within(1, ir.Gte, 9)), has("never")
	from := hours(2)
	for name, test := range map[string]struct {
		criteria *ir.Node
		since    float64 // 10.5 if that is not known
	}{
		"ever":                    {has("a"), 1},
		"more than never":         {changed(has("a"), func(e *ir.EventCheck) { e.Operator, e.Count = ir.Gt, 0 }), 1},
		"not at most never":       {not(changed(has("a"), func(e *ir.EventCheck) { e.Operator, e.Count = ir.Lte, 0 })), 1},
		"not exactly never":       {not(changed(has("a"), func(e *ir.EventCheck) { e.Operator, e.Count = ir.Eq, 0 })), 1},
		"twice":                   {changed(has("a"), func(e *ir.EventCheck) { e.Count = 2 }), 10.5},
		"late, and occurred then": {has("late"), 4},
		"since a day":             {changed(has("a"), func(e *ir.EventCheck) { e.Window = &ir.Window{From: &from} }), 3},
		"a number":                {greatest(5), 6},
		"a smaller number":        {greatest(2), 5},
		"different values":        {changed(greatest(1), func(e *ir.EventCheck) { e.Aggregate, e.Number, e.Count = ir.Distinct, nil, 1 }), 10.5},
		"within a window":         {tree(ir.OpAll, changed(has("a"), func(e *ir.EventCheck) { e.Window = &ir.Window{Last: 24 * time.Hour} })), 10.5},
		"silent":                  {atMost("a", 5), 8},
		"not lately":              {not(changed(has("a"), func(e *ir.EventCheck) { e.Window = &ir.Window{Last: 5 * time.Hour} })), 8},
		"silent for ever":         {atMost("never", 5), 10.5},
		"silent, ago":             {changed(atMost("a", 6), func(e *ir.EventCheck) { e.Window.Until, e.Window.Ago = 2*time.Hour, true }), 10.5},
		"all":                     {tree(ir.OpAll, has("a"), has("late"), atMost("a", 5)), 8},
		"all, one unknown":        {tree(ir.OpAll, has("a"), unknown), 10.5},
		"any":                     {tree(ir.OpAny, has("late"), has("a"), never), 1},
		"any, one unknown":        {tree(ir.OpAny, has("a"), unknown), 10.5},
		"any, one of them false":  {tree(ir.OpAny, not(unknown), has("a")), 1},
		"not any":                 {not(tree(ir.OpAny, not(has("late")), not(has("a")))), 4},
		"not all":                 {tree(ir.OpAll, has("a"), not(tree(ir.OpAll, not(has("late")), not(has("n"))))), 4},
		"a property":              {property(ir.Text, ir.Eq, `"pro"`, 0), 10.5},
		"one of two":              {&ir.Node{Op: ir.OpAtLeastOf, Count: 1, Children: []*ir.Node{has("a"), has("late")}}, 10.5},
		"when it happened":        {has("now"), 10.5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			numbered := func(h float64, n string) refeval.Step {
				return refeval.Step{At: hours(h), Op: refeval.Ingest, User: "u", Name: "n", Properties: []byte(`{"n":` + n + `}`)}
			}
			h := refeval.Run(defined(), []refeval.Step{
				traits(0, `{"p":"pro"}`), event(1, "a"), event(3, "a"), numbered(5, "3"), numbered(6, "7"),
				{At: hours(7), Op: refeval.Ingest, User: "u", Name: "late", OccurredAt: hours(4)},
				event(10.5, "now"),
				deploy(10.5, refeval.Leaves, ir.Definition{Criteria: test.criteria, Ticks: []ir.Tick{{Every: true, Span: time.Hour}}}),
			}, hours(11.6))
			if len(h.Transitions) != 2 {
				t.Fatalf("got %v, want a join and a tick", h.Transitions)
			}
			if tick := h.Transitions[1]; !tick.At.Add(-time.Duration(tick.Ordinal) * time.Hour).Equal(hours(test.since)) {
				t.Errorf("got %s, want a tick counted from %s", tick, hours(test.since))
			}
		})
	}
}

// TestChanged checks which definitions are looked at: those that mean something else.
func TestChanged(t *testing.T) {
	t.Parallel()
	yes := true
	base := func() *ir.File {
		return defined(ir.Definition{Criteria: tree(ir.OpAny, pro, has("a")), Ticks: []ir.Tick{{Span: time.Hour}}, Name: "One"}, ir.Definition{Kind: ir.Manual})
	}
	for name, test := range map[string]struct {
		change func(f *ir.File, d *ir.Definition)
		want   []string
	}{
		"nothing":  {func(*ir.File, *ir.Definition) {}, nil},
		"words":    {func(_ *ir.File, d *ir.Definition) { d.Name, d.Description, d.Doc, d.GoName = "B", "B", "B", "B" }, nil},
		"places":   {func(_ *ir.File, d *ir.Definition) { d.Pos.Line, d.Criteria.Pos.Line, d.Ticks[0].Pos.Line = 1, 2, 3 }, nil},
		"hints":    {func(_ *ir.File, d *ir.Definition) { d.FastExpiry, d.TimeBased, d.ReconcileEvery = true, &no, time.Hour }, nil},
		"defaults": {func(_ *ir.File, d *ir.Definition) { d.EntryLimit, d.ReconcileJoins = ir.Unlimited, &yes }, nil},
		"order": {func(f *ir.File, _ *ir.Definition) {
			f.Definitions[0], f.Definitions[1] = f.Definitions[1], f.Definitions[0]
		}, nil},
		"a removed one":  {func(f *ir.File, _ *ir.Definition) { f.Definitions = f.Definitions[:1] }, nil},
		"a new one":      {func(f *ir.File, _ *ir.Definition) { f.Definitions = append(f.Definitions, ir.Definition{ID: "c"}) }, []string{"c"}},
		"criteria":       {func(_ *ir.File, d *ir.Definition) { d.Criteria = has("b") }, []string{"a"}},
		"a policy":       {func(_ *ir.File, d *ir.Definition) { d.EntryLimit = ir.Once }, []string{"a"}},
		"a dwell":        {func(_ *ir.File, d *ir.Definition) { d.MinDwell = time.Hour }, []string{"a"}},
		"ticks":          {func(_ *ir.File, d *ir.Definition) { d.Ticks[0].Every = true }, []string{"a"}},
		"no clock joins": {func(_ *ir.File, d *ir.Definition) { d.ReconcileJoins = &no }, []string{"a"}},
		"disabled":       {func(_ *ir.File, d *ir.Definition) { d.Disabled = true }, []string{"a"}},
		"kind":           {func(f *ir.File, _ *ir.Definition) { f.Definitions[1].Kind = ir.Dynamic }, []string{"b"}},
		"a source": {func(f *ir.File, _ *ir.Definition) {
			f.Properties = []ir.Property{{Name: "p", TraitsOnly: true}, {Name: "other", TraitsOnly: true}}
		}, []string{"a"}},
	} {
		f := base()
		test.change(f, &f.Definitions[0])
		if diff := cmp.Diff(test.want, refeval.Changed(base(), f)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}
