package check

import (
	"slices"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

const (
	maxEventName = 200 // bytes, as at ingest
	maxCount     = 10_000
)

var comparisons = []ir.Operator{ir.Eq, ir.Gt, ir.Gte, ir.Lt, ir.Lte}

// single reports whether a condition on an event asks about one occurrence.
func single(e *ir.EventCheck) bool { return e.Aggregate == ir.First || e.Aggregate == ir.Last }

// event checks a condition on an event.
func (c *checker) event(d *ir.Definition, n *ir.Node) {
	e := n.Event
	c.eventName(n.Pos, d.ID, e.Name)
	switch {
	case single(e):
		c.property(d, &ir.Node{Pos: n.Pos, Property: e.Field})
	case !slices.Contains(comparisons, e.Operator):
		c.report(n.Pos, d.ID, "a count cannot be compared by %q; use eq, gt, gte, lt or lte", e.Operator)
	}
	if e.Count < 0 {
		c.report(n.Pos, d.ID, "event %q cannot occur %d times; count from 0 up", e.Name, e.Count)
	}
	c.fields(d, n)
	c.window(d, n)
	if e.Aggregate == ir.DistinctDays {
		c.zoneName(d, n.Pos, "DistinctDays", e.Zone)
	}
}

func (c *checker) eventName(pos ir.Pos, bucket, name string) {
	switch {
	case name == "":
		c.report(pos, bucket, "the event has no name; write the name under which it is ingested")
	case strings.TrimSpace(name) == "":
		c.report(pos, bucket, "the event's name has nothing but blanks; write the name under which it is ingested")
	case strings.HasPrefix(name, "bucket:"):
		c.report(pos, bucket, "event %q is a transition, and names beginning \"bucket:\" are not for criteria; ask about the events that cause it", name)
	case len(name) > maxEventName || strings.ContainsRune(name, 0):
		c.report(pos, bucket, "no event has the name %.40q: names have at most %d bytes and no U+0000", name, maxEventName)
	}
}

// ownField checks that the event declares the field of a condition on it.
func (c *checker) ownField(d *ir.Definition, pos ir.Pos, p *ir.PropertyCheck, event string) {
	if p.Event != event {
		c.report(pos, d.ID, "field %q is declared of event %q, and is asked of event %q; declare it of that one too", p.Name, p.Event, event)
	}
}

// fields checks the payload fields of a condition on an event: those of the filter, and the one
// that is aggregated.
func (c *checker) fields(d *ir.Definition, n *ir.Node) {
	e := n.Event
	if e.Field != nil {
		c.ownField(d, n.Pos, e.Field, e.Name)
		c.propertyName(e.Field.Name, e.Field.Path, n.Pos, d.ID)
	}
	e.Filter.Walk(func(f *ir.Node) {
		c.node(d, f)
		if f.Property != nil {
			c.ownField(d, f.Pos, f.Property, e.Name)
		}
	})
}

func (c *checker) window(d *ir.Definition, n *ir.Node) {
	e, w := n.Event, n.Event.Window
	if w == nil {
		return
	}
	if e.Count > maxCount {
		c.report(n.Pos, d.ID, "a count within a window goes up to %d, because that many instants are read at every evaluation; %d is more", maxCount, e.Count)
	}
	switch {
	case w.Calendar != "":
		c.zoneName(d, n.Pos, map[ir.Calendar]string{ir.Day: "Today", ir.Week: "ThisWeek", ir.Month: "ThisMonth"}[w.Calendar], w.Zone)
	case w.From != nil && w.To != nil && !w.From.Before(*w.To):
		c.report(n.Pos, d.ID, "nothing is between %s and %s; write the earlier instant first", w.From.Format(time.RFC3339), w.To.Format(time.RFC3339))
	case w.From != nil || w.To != nil:
	case w.Ago && (w.Last <= 0 || w.Until <= 0):
		c.report(n.Pos, d.ID, "Ago(%s, %s) is no window; both times must be positive, and for one that ends now write Within", w.Last, w.Until)
	case w.Ago && w.Last == w.Until:
		c.report(n.Pos, d.ID, "nothing is in Ago(%s, %s); write a longer time first", w.Last, w.Until)
	case w.Ago && w.Last < w.Until:
		c.report(n.Pos, d.ID, "nothing is in Ago(%s, %s), because the longer time ago comes first; write Ago(%s, %s)", w.Last, w.Until, w.Until, w.Last)
	case w.Ago:
		c.span(d, n.Pos, "the beginning of the window", w.Last)
		c.span(d, n.Pos, "the end of the window", w.Until)
	case w.Last <= 0:
		c.report(n.Pos, d.ID, "Within(%s) is no window; its length must be positive", w.Last)
	default:
		c.span(d, n.Pos, "the window", w.Last)
	}
}

// holdsForStrangers reports whether a condition on an event holds for users without any facts.
func holdsForStrangers(e *ir.EventCheck) bool {
	switch e.Aggregate {
	case ir.FirstTime, ir.Avg, ir.Min, ir.Max:
		return false
	case ir.Sum:
		return compares(e.Operator, 0, *e.Number)
	case ir.First, ir.Last:
		return isAbsence(e.Field)
	default:
		return compares(e.Operator, 0, float64(e.Count))
	}
}

// rolls reports whether time alone changes a condition on an event, so that even an absence is
// meaningful. Some comparisons hold for all users or for none, whatever the window.
func rolls(e *ir.EventCheck) bool {
	if e.Window == nil || e.Window.From != nil || e.Window.To != nil {
		return false
	}
	switch e.Aggregate {
	case ir.Count, ir.Distinct, ir.DistinctDays:
		return e.Count > 0 || e.Operator != ir.Gte && e.Operator != ir.Lt
	default:
		return true
	}
}

func compares(op ir.Operator, a, b float64) bool {
	switch op {
	case ir.Eq:
		return a == b
	case ir.Gt:
		return a > b
	case ir.Gte:
		return a >= b
	case ir.Lt:
		return a < b
	default:
		return a <= b
	}
}
