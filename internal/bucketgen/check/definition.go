package check

import (
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// definition checks a definition by itself.
func (c *checker) definition(d *ir.Definition) {
	if d.ID == "" && d.Kind == "" {
		c.report(d.Pos, "", "variable %s is an undefined bucket.Definition; write %s = bucket.Define(...)", d.GoName, d.GoName)
		return
	}
	c.id(d)
	c.policy(d)
	c.ticks(d)
	for _, p := range d.Problems {
		c.report(p.Pos, d.ID, "%s", p.Text)
	}
	if d.TimeBased != nil {
		c.warn(d.Pos, d.ID, "TimeBased is ignored: whether the clock matters is derived from the criteria; drop it")
	}
	switch {
	case d.Kind == ir.Manual && d.Criteria != nil:
		c.report(d.Pos, d.ID, "a manual bucket has no criteria, only Add and Remove change it; drop Criteria, or drop Kind to make it dynamic")
	case d.Kind == ir.Manual && d.ReconcileJoins != nil:
		c.report(d.Pos, d.ID, "ReconcileJoins means nothing in a manual bucket; drop it")
	case d.Kind == ir.Manual:
	case d.Kind != ir.Dynamic:
		c.report(d.Pos, d.ID, "there is no kind %q; write dynamic or manual", d.Kind)
	case d.Criteria == nil:
		c.report(d.Pos, d.ID, "a dynamic bucket needs Criteria; give it some, or set Kind: bucket.Manual")
	default:
		c.criteria(d)
	}
}

func (c *checker) id(d *ir.Definition) {
	switch {
	case d.ID == "":
		c.report(d.Pos, "", "a bucket has no ID; give it one like \"power-users\"")
	case validID(d.ID):
	case suggestID(d.ID) != "":
		c.report(d.Pos, d.ID, "an id is 1 to 64 lower-case letters, digits, dashes and underscores, with a letter or digit at both ends; write %q", suggestID(d.ID))
	default:
		c.report(d.Pos, d.ID, "an id is 1 to 64 lower-case letters, digits, dashes and underscores, with a letter or digit at both ends; choose one like \"power-users\"")
	}
}

func (c *checker) policy(d *ir.Definition) {
	c.span(d, d.Pos, "MinDwell", d.MinDwell)
	c.span(d, d.Pos, "MaxDwell", d.MaxDwell)
	c.span(d, d.Pos, "ReconcileEvery", d.ReconcileEvery)
	if d.MaxDwell > 0 && d.MinDwell > d.MaxDwell {
		c.report(d.Pos, d.ID, "MinDwell %s is longer than MaxDwell %s; both cannot hold, make MinDwell the shorter one", d.MinDwell, d.MaxDwell)
	}
	switch d.EntryLimit {
	case "", ir.Unlimited, ir.Once:
	case ir.OncePerPeriod:
		if d.EntryPeriod <= 0 {
			c.report(d.Pos, d.ID, "OncePer needs a positive period; write for example bucket.OncePer(30*bucket.Day)")
		} else {
			c.span(d, d.Pos, "the period of OncePer", d.EntryPeriod)
		}
	default:
		c.report(d.Pos, d.ID, "there is no entry limit %q; write unlimited, once or once_per_period", d.EntryLimit)
	}
}

func (c *checker) ticks(d *ir.Definition) {
	seen := map[string]bool{}
	for _, t := range d.Ticks {
		name := "After"
		if t.Every {
			name = "Every"
		}
		switch {
		case t.Span <= 0:
			c.report(t.Pos, d.ID, "%s(%s) never ticks; the span must be positive", name, t.Span)
		case t.Span%time.Millisecond != 0:
			c.report(t.Pos, d.ID, "%s(%s) is finer than a tick can be; use whole milliseconds", name, t.Span)
		case seen[TickLabel(t)]:
			c.report(t.Pos, d.ID, "%s(%s) is there twice; drop one", name, t.Span)
		}
		seen[TickLabel(t)] = true
	}
}

// span checks a duration; zero means that it was not given.
func (c *checker) span(d *ir.Definition, pos ir.Pos, name string, span time.Duration) {
	switch {
	case span < 0:
		c.report(pos, d.ID, "%s is %s; a duration must be positive", name, span)
	case span%time.Microsecond != 0:
		c.report(pos, d.ID, "%s is %s; the clock counts whole microseconds, use a multiple of those", name, span)
	}
}
