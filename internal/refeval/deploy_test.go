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

func deploy(h float64, emit refeval.Emit, definitions ...ir.Definition) refeval.Action {
	return refeval.Action{At: hours(h), Op: refeval.Deploy, Definitions: defined(definitions...), Emit: emit}
}

func pause(h float64, bucket string) refeval.Action {
	return refeval.Action{At: hours(h), Op: refeval.Pause, Bucket: bucket}
}

func resume(h float64, bucket string) refeval.Action {
	return refeval.Action{At: hours(h), Op: refeval.Resume, Bucket: bucket}
}

func has(event string) *ir.Node {
	return &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: event, Operator: ir.Gte, Count: 1}}
}

func member(bucket string) *ir.Node { return &ir.Node{Op: ir.OpMember, Bucket: bucket} }

func tree(op ir.Op, children ...*ir.Node) *ir.Node { return &ir.Node{Op: op, Children: children} }

var (
	pro     = property(ir.Text, ir.Eq, `"pro"`, 0)
	free    = property(ir.Text, ir.Eq, `"free"`, 0)
	active  = occurs(1, ir.Gte, 1)
	dormant = occurs(1, ir.Lte, 0)
	hourly  = []ir.Tick{{Every: true, Span: time.Hour}}
	no      = false
)

// change is a history in which definitions change, or buckets are paused. Everything happens to one
// user "u".
type change struct {
	name   string
	before []ir.Definition
	steps  []refeval.Action
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

// TestBackfill checks which users join and leave when definitions change.
func TestBackfill(t *testing.T) {
	t.Parallel()
	play(t, []change{
		{
			"users who matched before join a new bucket silently, later joins are announced",
			nil,
			[]refeval.Action{event(0, "a"), deploy(1, refeval.Leaves, ir.Definition{Criteria: has("a")}, ir.Definition{Criteria: has("b")}), event(2, "a"), event(2, "b")},
			9, "1h entered a 1 backfill suppressed, 2h entered b 1 event",
		},
		{
			"joins are announced with refeval.All",
			nil,
			[]refeval.Action{event(0, "a"), deploy(1, refeval.All, ir.Definition{Criteria: has("a")})},
			9, "1h entered a 1 backfill",
		},
		{
			"and if the entry policy lets them be",
			[]ir.Definition{{Criteria: pro}},
			[]refeval.Action{
				traits(0, `{"p":"pro"}`), traits(1, `{"p":0}`), traits(2, `{"p":"free"}`),
				deploy(3, refeval.All, ir.Definition{Criteria: free, EntryLimit: ir.Once}),
			},
			9, "0h entered a 1 event, 1h left a 1 event criteria, 3h entered a 2 backfill suppressed",
		},
		{
			"a silent stay uses up the one entry that is announced",
			nil,
			[]refeval.Action{
				traits(0, `{"p":"pro"}`), deploy(1, refeval.Leaves, ir.Definition{Criteria: pro, EntryLimit: ir.Once}),
				traits(2, `{"p":0}`), traits(3, `{"p":"pro"}`),
			},
			9, "1h entered a 1 backfill suppressed, 2h left a 1 event criteria, 3h entered a 2 event suppressed",
		},
		{
			"users who no longer match leave, and that is announced",
			[]ir.Definition{{Criteria: pro}},
			[]refeval.Action{traits(0, `{"p":"pro"}`), deploy(1, refeval.Leaves, ir.Definition{Criteria: free}), traits(2, `{"p":"free"}`)},
			9, "0h entered a 1 event, 1h left a 1 backfill criteria, 2h entered a 2 event",
		},
		{
			"unless the deploy is silent",
			[]ir.Definition{{Criteria: pro}},
			[]refeval.Action{traits(0, `{"p":"pro"}`), deploy(1, refeval.Silent, ir.Definition{Criteria: free})},
			9, "0h entered a 1 event, 1h left a 1 backfill criteria suppressed",
		},
		{
			"a minimal dwell defers the leave, which is then announced whatever was deployed",
			[]ir.Definition{{Criteria: pro, MinDwell: 3 * time.Hour}},
			[]refeval.Action{traits(0, `{"p":"pro"}`), deploy(1, refeval.Silent, ir.Definition{Criteria: free, MinDwell: 3 * time.Hour})},
			9, "0h entered a 1 event, 3h left a 1 clock criteria",
		},
		{
			"a shorter minimal dwell is over already",
			[]ir.Definition{{Criteria: pro, MinDwell: 5 * time.Hour}},
			[]refeval.Action{traits(0, `{"p":"pro"}`), traits(1, `{"p":0}`), deploy(2, refeval.Leaves, ir.Definition{Criteria: pro, MinDwell: time.Hour})},
			9, "0h entered a 1 event, 2h left a 1 backfill criteria",
		},
		{
			"so is a shorter maximal dwell, and it keeps the user out",
			[]ir.Definition{{Criteria: pro}},
			[]refeval.Action{
				traits(0, `{"p":"pro"}`), deploy(2, refeval.Leaves, ir.Definition{Criteria: pro, MaxDwell: time.Hour}),
				deploy(3, refeval.All, ir.Definition{Criteria: pro, MaxDwell: 2 * time.Hour}), traits(4, `{"p":"pro"}`),
			},
			5, "0h entered a 1 event, 2h left a 1 backfill maxDwell, 4h entered a 2 event",
		},
		{
			"until a deploy finds that the criteria fails",
			[]ir.Definition{{Criteria: pro, MaxDwell: time.Hour}},
			[]refeval.Action{
				traits(0, `{"p":"pro"}`), deploy(2, refeval.Leaves, ir.Definition{Criteria: free, MaxDwell: time.Hour}),
				deploy(3, refeval.Leaves, ir.Definition{Criteria: pro, MaxDwell: 3 * time.Hour}),
			},
			7, "0h entered a 1 event, 1h left a 1 clock maxDwell, 3h entered a 2 backfill suppressed, 6h left a 2 clock maxDwell",
		},
		{
			"a bucket that users cannot join by the clock is backfilled all the same",
			[]ir.Definition{{Criteria: dormant, ReconcileJoins: &no}},
			[]refeval.Action{event(0, "a"), deploy(2, refeval.Leaves, ir.Definition{Criteria: dormant, ReconcileJoins: &no, EntryLimit: ir.Once})},
			9, "2h entered a 1 backfill suppressed",
		},
		{
			"what follows has the same cause, and is as silent",
			[]ir.Definition{
				{Criteria: tree(ir.OpAll, member("b"), has("a"))},
				{Criteria: pro},
				{Criteria: tree(ir.OpAll, tree(ir.OpNot, member("b")), has("a"))},
			},
			[]refeval.Action{
				traits(0, `{"p":"free"}`), event(0, "a"),
				deploy(1, refeval.Silent, ir.Definition{Criteria: tree(ir.OpAll, member("b"), has("a"))}, ir.Definition{Criteria: free}, ir.Definition{Criteria: tree(ir.OpAll, tree(ir.OpNot, member("b")), has("a"))}),
			},
			9, "0h entered c 1 event, 1h entered b 1 backfill suppressed, 1h left c 1 backfill criteria suppressed, 1h entered a 1 backfill suppressed",
		},
		{
			"of a bucket that only follows no time is up",
			[]ir.Definition{{Criteria: pro}, {Criteria: tree(ir.OpAny, member("a"), has("a")), MaxDwell: 2 * time.Hour}},
			[]refeval.Action{
				traits(0, `{"p":"free"}`), event(0, "a"),
				deploy(2, refeval.Leaves, ir.Definition{Criteria: free}, ir.Definition{Criteria: tree(ir.OpAny, member("a"), has("a")), MaxDwell: 2 * time.Hour}),
			},
			9, "0h entered b 1 event, 2h entered a 1 backfill suppressed, 2h left b 1 clock maxDwell",
		},
	})
}

// TestTicksOfDeploys checks ticks when definitions change.
func TestTicksOfDeploys(t *testing.T) {
	t.Parallel()
	play(t, []change{
		{
			"ticks that are due by then go by, and the others go on counting",
			[]ir.Definition{{Criteria: pro, Ticks: []ir.Tick{{Span: 5 * time.Hour}}}},
			[]refeval.Action{traits(0, `{"p":"pro"}`), deploy(2, refeval.Leaves, ir.Definition{Criteria: pro, Ticks: hourly})},
			3, "0h entered a 1 event, 3h dwell a 1 clock every-1h#3",
		},
		{
			"of an unchanged bucket none goes by",
			[]ir.Definition{{Criteria: pro, Ticks: hourly, Name: "One"}},
			[]refeval.Action{traits(0, `{"p":"pro"}`), deploy(1, refeval.Silent, ir.Definition{Criteria: pro, Ticks: hourly, Name: "Another", Description: "With words."})},
			2, "0h entered a 1 event, 1h dwell a 1 clock every-1h#1, 2h dwell a 1 clock every-1h#2",
		},
		{
			"ticks of a backfilled stay count from when it would have begun",
			nil,
			[]refeval.Action{event(0, "a"), deploy(2, refeval.Leaves, ir.Definition{Criteria: has("a"), Ticks: hourly, MinDwell: time.Hour, MaxDwell: 2 * time.Hour})},
			9, "2h entered a 1 backfill suppressed, 3h dwell a 1 clock every-1h#3, 4h left a 1 clock maxDwell",
		},
		{
			"or from the deploy, if that is not known",
			nil,
			[]refeval.Action{traits(0, `{"p":"pro"}`), deploy(2.5, refeval.Leaves, ir.Definition{Criteria: pro, Ticks: hourly})},
			3.5, "2.5h entered a 1 backfill suppressed, 3.5h dwell a 1 clock every-1h#1",
		},
	})
}

// TestOrderOfDeploys checks the order of a change of definitions and other transitions, and the
// facts that it uses.
func TestOrderOfDeploys(t *testing.T) {
	t.Parallel()
	play(t, []change{
		{
			"what was due before happens by the definitions that were, and what is due at that instant by the new ones",
			[]ir.Definition{{Criteria: active}, {Criteria: dormant}, {Criteria: occurs(2, ir.Gte, 1)}},
			[]refeval.Action{
				event(0, "a"),
				deploy(2, refeval.Leaves, ir.Definition{Criteria: has("a")}, ir.Definition{Criteria: dormant}, ir.Definition{Criteria: occurs(3, ir.Gte, 1)}),
			},
			9, "0h entered a 1 event, 0h entered c 1 event, 1h left a 1 clock criteria, 1h entered b 1 clock, 2h entered a 2 backfill suppressed, 3h left c 1 clock criteria",
		},
		{
			"an event at that instant comes after it",
			[]ir.Definition{{Criteria: pro}},
			[]refeval.Action{event(0, "b"), deploy(1, refeval.Leaves, ir.Definition{Criteria: has("a")}), event(1, "a")},
			9, "1h entered a 1 event",
		},
		{
			"deleted users are evaluated when they come back",
			nil,
			[]refeval.Action{event(0, "a"), do(1, refeval.Delete), deploy(2, refeval.All, ir.Definition{Criteria: has("a")}), do(3, refeval.Restore)},
			9, "3h entered a 1 reconcile",
		},
		{
			"a property that was not declared when it came is known all the same",
			nil,
			[]refeval.Action{traits(0, `{"p":"pro"}`), deploy(1, refeval.Leaves, ir.Definition{Criteria: pro}), {At: hours(2), Op: refeval.Ingest, User: "u", Name: "a", Properties: []byte(`{"p":0}`)}},
			9, "1h entered a 1 backfill suppressed, 2h left a 1 event criteria",
		},
		{
			"a payload is not read again",
			nil,
			[]refeval.Action{{At: hours(0), Op: refeval.Ingest, User: "u", Name: "a", Properties: []byte(`{"p":"pro"}`)}, deploy(1, refeval.Leaves, ir.Definition{Criteria: pro})},
			9, "",
		},
		{
			"a dynamic bucket becomes manual, and the other way round",
			[]ir.Definition{{Criteria: pro}, {Kind: ir.Manual}},
			[]refeval.Action{
				traits(0, `{"p":"pro"}`), do(0, refeval.Add),
				deploy(1, refeval.Leaves, ir.Definition{Kind: ir.Manual}, ir.Definition{Criteria: free}), traits(2, `{"p":"free"}`),
				do(3, refeval.Remove),
			},
			9, "0h entered a 1 event, 0h entered b 1 manual, 1h left b 1 backfill criteria, 2h entered b 2 event",
		},
	})
}

// TestChanged checks which definitions are evaluated: those with another meaning.
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
