package draw

import (
	"slices"
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
	AskAboutMembers(t, f.Definitions)
	if problems := check.Errors(check.Problems(f)); len(problems) > 0 {
		t.Fatalf("what was drawn is wrong: %v", problems)
	}
	return f
}

func definition(t *rapid.T, id string) ir.Definition {
	d := ir.Definition{ID: id, Kind: ir.Dynamic, Disabled: chance(t, "disabled", 7), Anonymous: chance(t, "anonymous", 50)}
	if chance(t, "manual", 15) {
		d.Kind = ir.Manual
	} else {
		d.Criteria = sound(Criteria(t, upTo(t, "depth", 0, 3)), nil)
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

// AskAboutMembers lets some conditions ask about another bucket instead. Either all of those come
// earlier, or all later, so that there is no circle.
func AskAboutMembers(t *rapid.T, definitions []ir.Definition) {
	later := chance(t, "about later buckets", 50)
	for i := range definitions {
		others := definitions[:i]
		if later {
			others = definitions[i+1:]
		}
		if d := &definitions[i]; d.Kind == ir.Dynamic && len(others) > 0 && chance(t, "asks about buckets", 40) {
			AskAbout(t, d, others)
		}
	}
}

// AskAbout lets some conditions of a definition ask about one of other buckets instead.
func AskAbout(t *rapid.T, d *ir.Definition, others []ir.Definition) {
	d.Criteria.Walk(func(n *ir.Node) {
		if len(n.Children) == 0 && chance(t, "asks about a bucket", 50) {
			*n = ir.Node{Op: ir.OpMember, Bucket: others[upTo(t, "bucket", 0, len(others)-1)].ID}
		}
	})
	d.Criteria = sound(d.Criteria, others)
}

// sound makes a criteria one that the rules allow, if it is none.
func sound(n *ir.Node, others []ir.Definition) *ir.Node {
	probe := &ir.File{Definitions: append(slices.Clone(others), ir.Definition{ID: "probe", Kind: ir.Dynamic, Criteria: n})}
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
