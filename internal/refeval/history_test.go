package refeval_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/bucketgen/check"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
)

func event(h float64, name string) refeval.Action {
	return refeval.Action{At: hours(h), Op: refeval.Ingest, User: "u", Name: name}
}

func traits(h float64, json string) refeval.Action {
	return refeval.Action{At: hours(h), Op: refeval.Ingest, User: "u", Traits: []byte(json)}
}

func do(h float64, op refeval.Op) refeval.Action {
	return refeval.Action{At: hours(h), Op: op, User: "u", Bucket: "b"}
}

func hasBeen(value string, h int) *ir.Node {
	return &ir.Node{Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: "p", Type: ir.Text, Operator: ir.HasBeen, Value: operandOf(value), Span: time.Duration(h) * time.Hour}}
}

func changedTo(value string, h int) *ir.Node {
	return &ir.Node{Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: "p", Type: ir.Text, Operator: ir.Changed, To: operandOf(value), Span: time.Duration(h) * time.Hour}}
}

func traitsOnly(n *ir.Node) *ir.Node {
	check := *n.Property
	check.TraitsOnly = true
	return &ir.Node{Op: n.Op, Property: &check}
}

// TestHistories is the reference by hand: one bucket "b", one user "u".
func TestHistories(t *testing.T) {
	t.Parallel()
	pro := property(ir.Text, ir.Eq, `"pro"`, 0)
	dormant := occurs(1, ir.Lte, 0)
	no := false
	for _, test := range []struct {
		name  string
		b     ir.Definition
		steps []refeval.Action
		until float64
		want  string // hour of day, what, entry count, why
	}{
		{
			"what has been so for long enough",
			ir.Definition{Criteria: hasBeen("pro", 2)},
			[]refeval.Action{traits(0, `{"p":"pro"}`), traits(1, `{"p":"pro"}`), traits(5, `{"p":"free"}`), traits(6, `{"p":"pro"}`)},
			7.5,
			"2h entered 1 clock, 5h left 1 event criteria",
		},
		{
			"what changed lately",
			ir.Definition{Criteria: changedTo("pro", 2)},
			[]refeval.Action{traits(0, `{"p":"free"}`), traits(1, `{"p":"pro"}`), traits(2, `{"p":"pro"}`), traits(5, `{"p":null}`), traits(6, `{"p":"pro"}`)},
			6.5,
			"1h entered 1 event, 3h left 1 clock criteria, 6h entered 2 event",
		},
		{
			"a payload is no source of what only traits set",
			ir.Definition{Criteria: traitsOnly(pro)},
			[]refeval.Action{
				{At: hours(0), Op: refeval.Ingest, User: "u", Name: "a", Properties: []byte(`{"p":"pro"}`)},
				traits(1, `{"p":"pro"}`),
				{At: hours(2), Op: refeval.Ingest, User: "u", Name: "a", Properties: []byte(`{"p":"free"}`)},
			},
			3,
			"1h entered 1 event",
		},
		{
			"gaps between events are settled",
			ir.Definition{Criteria: occurs(1, ir.Gte, 1)},
			[]refeval.Action{event(0, "a"), event(3, "a")},
			5,
			"0h entered 1 event, 1h left 1 clock criteria, 3h entered 2 event, 4h left 2 clock criteria",
		},
		{
			"an event comes before what the clock does",
			ir.Definition{Criteria: occurs(1, ir.Gte, 1)},
			[]refeval.Action{event(0, "a"), event(1, "a")},
			1.5,
			"0h entered 1 event",
		},
		{"users join by the clock", ir.Definition{Criteria: dormant}, []refeval.Action{event(0, "a")}, 2, "1h entered 1 clock"},
		{"unless that is off", ir.Definition{Criteria: dormant, ReconcileJoins: &no}, []refeval.Action{event(0, "a"), event(2, "other")}, 3, ""},
		{"newcomers", ir.Definition{Criteria: dormant}, []refeval.Action{event(0, "other")}, 2, "0h entered 1 event"},
		{
			"min dwell defers",
			ir.Definition{Criteria: pro, MinDwell: 2 * time.Hour},
			[]refeval.Action{traits(0, `{"p":"pro"}`), traits(1, `{"p":null}`)},
			9,
			"0h entered 1 event, 2h left 1 clock criteria",
		},
		{
			"and forgives",
			ir.Definition{Criteria: pro, MinDwell: 2 * time.Hour},
			[]refeval.Action{traits(0, `{"p":"pro"}`), traits(1, `{"p":1}`), traits(1.5, `{"p":"pro"}`)},
			9,
			"0h entered 1 event",
		},
		{
			"max dwell wins, and blocks the clock",
			ir.Definition{Criteria: pro, MaxDwell: time.Hour},
			[]refeval.Action{traits(0, `{"p":"pro"}`), event(2, "a"), traits(3, `{"p":"pro"}`)},
			3.5,
			"0h entered 1 event, 1h left 1 clock maxDwell, 3h entered 2 event",
		},
		{
			"a criteria that fails lifts the block",
			ir.Definition{Criteria: dormant, MaxDwell: time.Hour},
			[]refeval.Action{event(0, "a"), event(3, "a")},
			4.5,
			"1h entered 1 clock, 2h left 1 clock maxDwell, 4h entered 2 clock",
		},
		{
			"an entry policy suppresses, and a leave is always announced",
			ir.Definition{Criteria: occurs(1, ir.Gte, 1), EntryLimit: ir.Once},
			[]refeval.Action{event(0, "a"), event(2, "a")},
			9,
			"0h entered 1 event, 1h left 1 clock criteria, 2h entered 2 event suppressed, 3h left 2 clock criteria",
		},
		{
			"a period counts from the latest leave",
			ir.Definition{Criteria: occurs(1, ir.Gte, 1), EntryLimit: ir.OncePerPeriod, EntryPeriod: 2 * time.Hour},
			[]refeval.Action{event(0, "a"), event(2, "a"), event(5, "a")},
			5.5,
			"0h entered 1 event, 1h left 1 clock criteria, 2h entered 2 event suppressed, 3h left 2 clock criteria, 5h entered 3 event",
		},
		{
			"ticks, and one at the instant of an event",
			ir.Definition{Criteria: pro, Ticks: []ir.Tick{{Span: time.Hour}, {Every: true, Span: 2 * time.Hour}}},
			[]refeval.Action{traits(0, `{"p":"pro"}`), traits(1, `{"p":"pro"}`), traits(4.5, `{}`), traits(5, `{"p":0}`)},
			9,
			"0h entered 1 event, 1h dwell 1 clock after-1h#1, 2h dwell 1 clock every-2h#1, 4h dwell 1 clock every-2h#2, 5h left 1 event criteria",
		},
		{
			"the deleted stand still",
			ir.Definition{Criteria: occurs(1, ir.Gte, 1)},
			[]refeval.Action{event(0, "a"), do(0.5, refeval.Delete), event(1, "a"), do(1.5, refeval.Restore)},
			9,
			"0h entered 1 event, 2h left 1 clock criteria",
		},
		{
			"and catch up",
			ir.Definition{Criteria: occurs(1, ir.Gte, 1)},
			[]refeval.Action{event(0, "a"), do(0.5, refeval.Delete), do(3, refeval.Restore)},
			9,
			"0h entered 1 event, 3h left 1 reconcile criteria",
		},
		{
			"missed ticks come as one",
			ir.Definition{Criteria: pro, Ticks: []ir.Tick{{Every: true, Span: time.Hour}}},
			[]refeval.Action{traits(0, `{"p":"pro"}`), do(0.5, refeval.Delete), do(3.5, refeval.Restore)},
			4,
			"0h entered 1 event, 3h dwell 1 reconcile every-1h#3, 4h dwell 1 clock every-1h#4",
		},
		{
			"a manual bucket",
			ir.Definition{Kind: ir.Manual, MinDwell: 9 * time.Hour},
			[]refeval.Action{do(0, refeval.Add), do(1, refeval.Add), do(2, refeval.Remove)},
			9,
			"0h entered 1 manual, 2h left 1 manual manual",
		},
		{
			"a payload of a declared property is stored",
			ir.Definition{Criteria: pro},
			[]refeval.Action{{At: hours(0), Op: refeval.Ingest, User: "u", Name: "a", Properties: []byte(`{"p":"pro"}`), Traits: []byte(`{"p":"free"}`)}},
			1, "0h entered 1 event",
		},
		{
			"the future is refused, and what is near counts from now",
			ir.Definition{Criteria: occurs(1, ir.Gte, 1)},
			[]refeval.Action{
				{At: hours(0), Op: refeval.Ingest, User: "u", Name: "a", OccurredAt: hours(0.5)},
				{At: hours(1), Op: refeval.Ingest, User: "u", Name: "a", OccurredAt: hours(1).Add(time.Minute)},
			},
			9, "1h entered 1 event, 2h left 1 clock criteria",
		},
		{
			"a duplicate changes nothing",
			ir.Definition{Criteria: pro},
			[]refeval.Action{
				{At: hours(0), Op: refeval.Ingest, User: "u", Name: "a", Key: "k"},
				{At: hours(1), Op: refeval.Ingest, User: "u", Name: "b", Key: "k", Traits: []byte(`{"p":"pro"}`)},
			},
			9, "",
		},
		{"paused", ir.Definition{Criteria: occurs(1, ir.Gte, 1), Disabled: true}, []refeval.Action{event(0, "a")}, 9, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.b.ID = "b"
			if test.b.Kind == "" {
				test.b.Kind = ir.Dynamic
			}
			h := refeval.Run(&ir.File{Definitions: []ir.Definition{test.b}}, test.steps, hours(test.until))
			if diff := cmp.Diff(test.want, strings.Join(lines(h, false), ", ")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// lines writes transitions as the tables here do: hour of day, what, entry count, why; and, if
// wanted, which bucket.
func lines(h *refeval.History, bucket bool) []string {
	var all []string
	for _, tr := range h.Transitions {
		line := strconv.FormatFloat(tr.At.Sub(start).Hours(), 'g', -1, 64) + "h " + tr.Kind + " "
		if bucket {
			line += tr.Bucket + " "
		}
		line += string(rune('0'+tr.EntryCount)) + " " + tr.Source
		if tr.Reason != "" {
			line += " " + tr.Reason
		}
		if tr.Tick != "" {
			line += " " + tr.Tick + "#" + string(rune('0'+tr.DwellCount))
		}
		if tr.Suppressed {
			line += " suppressed"
		}
		all = append(all, line)
	}
	return all
}

// TestPositive compares the rule that a criteria needs a positive leaf with the words of the
// contract.
func TestPositive(t *testing.T) {
	t.Parallel()
	draw.Check(t, 5000, func(t *rapid.T) {
		n := draw.Criteria(t, 3)
		trivial := slices.ContainsFunc(conditions(n), func(leaf *ir.Node) bool {
			e := leaf.Event // a comparison that always or never holds has a window in its words only
			return e != nil && e.Number == nil && e.Count == 0 && (e.Operator == ir.Gte || e.Operator == ir.Lt)
		})
		if trivial {
			return
		}
		f := &ir.File{Definitions: []ir.Definition{{ID: "b", Kind: ir.Dynamic, Criteria: n}}}
		accepted := len(check.Errors(check.Problems(f))) == 0
		if want := positive(n, false); accepted != want {
			t.Fatalf("%s: it is accepted %t, it has a positive leaf %t", refeval.DescribeNode(n), accepted, want)
		}
	})
}

// positive reports whether a leaf is positive, once negations are pushed to the leaves: whether it
// fails for a user without any facts, or has a window that moves.
func positive(n *ir.Node, negated bool) bool {
	switch n.Op {
	case ir.OpNot:
		return positive(n.Children[0], !negated)
	case ir.OpAll, ir.OpAny, ir.OpAtLeastOf:
		return slices.ContainsFunc(n.Children, func(child *ir.Node) bool { return positive(child, negated) })
	case ir.OpSample:
		return true // it fails for some users, and so does its contrary
	default:
		return refeval.Holds(n, &refeval.Facts{}, start) == negated || n.Event != nil && n.Event.Window != nil && (n.Event.Window.Last > 0 || n.Event.Window.Calendar != "")
	}
}

func conditions(n *ir.Node) []*ir.Node {
	if len(n.Children) == 0 {
		return []*ir.Node{n}
	}
	var all []*ir.Node
	for _, child := range n.Children {
		all = append(all, conditions(child)...)
	}
	return all
}
