package draw

import (
	"encoding/json"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/bucketgen/check"
	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
)

// Changing draws what happens to some users, as Steps does, while definitions change and buckets
// are paused and resumed.
func Changing(t *rapid.T, f *ir.File, users []string, most int) []refeval.Action {
	c := &changing{t: t, file: f}
	now := Start
	steps := make([]refeval.Action, 0, most)
	for range upTo(t, "steps", 1, most) {
		now = now.Add(one(t, "pause", pauses...))
		steps = append(steps, c.step(now, one(t, "user", users...), users))
	}
	return steps
}

// changing is what definitions and buckets have come to in the course of a history.
type changing struct {
	t      *rapid.T
	file   *ir.File
	gone   []ir.Definition // those that were removed
	paused []string        // buckets
	drawn  int             // how many definitions were added
}

func (c *changing) step(now time.Time, user string, users []string) refeval.Action {
	kind := upTo(c.t, "change", 0, 99)
	switch {
	case kind < 76:
		return anyStep(c.t, now, user, users, manual(c.file))
	case kind < 90 || len(c.file.Definitions) == 0:
		c.file = c.edited()
		return refeval.Action{
			At: now, Op: refeval.Deploy, Definitions: c.file,
			Emit: one(c.t, "announced", refeval.Leaves, refeval.Silent, refeval.All),
		}
	case kind < 95 || len(c.paused) == 0:
		bucket := c.any().ID
		c.paused = append(c.paused, bucket)
		return refeval.Action{At: now, Op: refeval.Pause, Bucket: bucket}
	default: // mostly one that is paused, or was
		return refeval.Action{At: now, Op: refeval.Resume, Bucket: one(c.t, "paused", append(c.paused, c.any().ID)...)}
	}
}

func (c *changing) any() *ir.Definition {
	return &c.file.Definitions[below(c.t, "bucket", len(c.file.Definitions))]
}

// edited returns other definitions, which obey the rules. An edit that does not is dropped.
func (c *changing) edited() *ir.File {
	before := c.file
	for range upTo(c.t, "edits", 1, 3) {
		f := copied(c.t, c.file)
		gone := c.edit(f)
		if len(check.Errors(check.Problems(f))) == 0 {
			c.file, c.gone = f, gone
		}
	}
	return literal(before, c.file)
}

// edit changes definitions and returns those that are gone then.
func (c *changing) edit(f *ir.File) (gone []ir.Definition) {
	t, gone := c.t, slices.Clone(c.gone)
	kind := upTo(t, "edit", 0, 99)
	switch {
	case kind < 12 || len(f.Definitions) == 0:
		c.drawn++
		f.Definitions = append(f.Definitions, definition(t, "n"+string(rune('a'+c.drawn%26))))
		gone = slices.DeleteFunc(gone, func(d ir.Definition) bool { return d.ID == f.Definitions[len(f.Definitions)-1].ID })
		return gone
	case kind < 27 && len(gone) > 0:
		i := below(t, "back", len(gone))
		f.Definitions = append(f.Definitions, gone[i])
		return slices.Delete(gone, i, i+1)
	}
	i := below(t, "edited", len(f.Definitions))
	d := &f.Definitions[i]
	switch {
	case kind < 40:
		gone = append(gone, *d)
		f.Definitions = slices.Delete(f.Definitions, i, i+1)
	case kind < 60 && d.Criteria != nil:
		leaf(t, d.Criteria)
		if others := slices.Delete(slices.Clone(f.Definitions), i, i+1); len(others) > 0 && chance(t, "asks about another", 30) {
			AskAbout(t, d, others)
		}
	case kind < 70:
		*d = definition(t, d.ID)
	case kind < 80:
		d.Disabled = !d.Disabled
	case kind < 90:
		d.EntryLimit, d.EntryPeriod, d.MinDwell, d.MaxDwell = "", 0, 0, 0
		policy(t, d)
	case kind < 96:
		d.Ticks = nil
		ticks(t, d)
	default:
		d.Name = "Another name"
	}
	return gone
}

// leaf changes a condition of a criteria: how often or within which time something is to happen, or
// what.
func leaf(t *rapid.T, n *ir.Node) {
	var all []*ir.Node
	n.Walk(func(n *ir.Node) {
		if len(n.Children) == 0 {
			all = append(all, n)
		}
	})
	n = one(t, "leaf", all...)
	switch e := n.Event; {
	case e != nil && e.Window != nil && e.Window.Last > 0 && !e.Window.Ago && chance(t, "span", 50):
		e.Window.Last = span(t)
	case e != nil && e.Aggregate == ir.Count && chance(t, "threshold", 70):
		e.Count = one(t, "n", 1, 2, 0, 3)
	default:
		*n = *Criteria(t, 0)
	}
}

func copied(t *rapid.T, f *ir.File) *ir.File {
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var copied ir.File
	if err := json.Unmarshal(text, &copied); err != nil {
		t.Fatal(err)
	}
	return &copied
}

// literal takes back what says the same as before in other words: that is no change for bucketgen,
// which knows that more than one is at least two, and one for the reference, which compares words.
// Fingerprints have tests of their own.
func literal(before, after *ir.File) *ir.File {
	from, to := plan.Build(before).Registry, plan.Build(after).Registry
	changed := refeval.Changed(before, after)
	for i := range after.Definitions {
		d := &after.Definitions[i]
		was, known := from.Bucket(d.ID)
		is, _ := to.Bucket(d.ID)
		if known && slices.Contains(changed, d.ID) && from.Buckets[was].Fingerprint == to.Buckets[is].Fingerprint {
			*d = before.Definitions[slices.IndexFunc(before.Definitions, func(b ir.Definition) bool { return b.ID == d.ID })]
		}
	}
	return after
}
