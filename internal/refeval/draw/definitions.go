package draw

import (
	"time"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/bucketgen/check"
	"github.com/bucketgen/bucketgen/internal/ir"
)

// Definitions draws some definitions that obey the rules.
func Definitions(t *rapid.T, most int) *ir.File {
	f := &ir.File{Version: ir.Version, Properties: []ir.Property{{Name: "spare", Type: ir.Text}, {Name: "vip", Type: ir.Text, TraitsOnly: true}}}
	for i := range upTo(t, "buckets", 1, most) {
		f.Definitions = append(f.Definitions, definition(t, string(rune('a'+i))))
	}
	if problems := check.Errors(check.Problems(f)); len(problems) > 0 {
		t.Fatalf("what was drawn is wrong: %v", problems)
	}
	return f
}

func definition(t *rapid.T, id string) ir.Definition {
	d := ir.Definition{ID: id, Kind: ir.Dynamic, Disabled: chance(t, "disabled", 7)}
	if chance(t, "manual", 15) {
		d.Kind = ir.Manual
	} else {
		d.Criteria = sound(Criteria(t, upTo(t, "depth", 0, 3)))
		if chance(t, "says whether the clock joins", 25) {
			joins := chance(t, "the clock joins", 50)
			d.ReconcileJoins = &joins
		}
	}
	policy(t, &d)
	if chance(t, "ticks", 30) {
		ticks(t, &d)
	}
	return d
}

// sound makes a criteria one that the rules allow, if it is none.
func sound(n *ir.Node) *ir.Node {
	probe := &ir.File{Definitions: []ir.Definition{{ID: "probe", Kind: ir.Dynamic, Criteria: n}}}
	if len(check.Errors(check.Problems(probe))) == 0 {
		return n
	}
	positive := &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: "a", Operator: ir.Gte, Count: 1}}
	return &ir.Node{Op: ir.OpAll, Children: []*ir.Node{positive, n}}
}

func policy(t *rapid.T, d *ir.Definition) {
	d.EntryLimit = one(t, "entry", "", ir.Unlimited, ir.Once, ir.OncePerPeriod)
	if d.EntryLimit == ir.OncePerPeriod {
		d.EntryPeriod = span(t)
	}
	if chance(t, "min dwell", 30) {
		d.MinDwell = span(t)
	}
	if chance(t, "max dwell", 35) {
		d.MaxDwell = max(d.MinDwell, span(t))
	}
	d.FastExpiry = chance(t, "fast expiry", 10)
}

func ticks(t *rapid.T, d *ir.Definition) {
	seen := map[ir.Tick]bool{}
	for range upTo(t, "ticks", 1, 3) {
		tick := ir.Tick{Every: chance(t, "every", 50), Span: one(t, "tick", Hour, 2*Hour, 3*Hour, 90*time.Minute)}
		if !seen[tick] {
			seen[tick] = true
			d.Ticks = append(d.Ticks, tick)
		}
	}
}
