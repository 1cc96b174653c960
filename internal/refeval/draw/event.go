package draw

import (
	"time"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// richEvent makes a condition on an event one that asks about payloads, or about more than how
// often it occurred.
func richEvent(t *rapid.T, e *ir.EventCheck) {
	if chance(t, "filter", 50) {
		e.Filter = filter(t, e.Name, 2)
	}
	if chance(t, "other window", 40) {
		e.Window = window(t)
	}
	e.Aggregate = one(t, "aggregate", ir.Count, ir.Sum, ir.Avg, ir.Min, ir.Max, ir.Distinct, ir.DistinctDays, ir.FirstTime, ir.Sum,
		ir.First, ir.Last)
	switch e.Aggregate {
	case ir.Sum, ir.Avg, ir.Min, ir.Max:
		e.Field = one(t, "number field", field(e.Name, "seats", ir.Number), field(e.Name, "at", ir.Number, "in", "seats"))
		number := one(t, "limit", 5.0, 0, 1, 10, 5.5, 2, -3, 15)
		e.Number, e.Count = &number, 0
	case ir.Distinct:
		e.Field = one(t, "field", field(e.Name, "plan", ir.Text), field(e.Name, "seats", ir.Number), field(e.Name, "trial", ir.Time), field(e.Name, "p", ir.Text))
	case ir.DistinctDays:
		e.Zone = one(t, "zone", zones...)
	case ir.First, ir.Last:
		if e.Window != nil && e.Window.From == nil && e.Window.To == nil {
			e.Window = nil
		}
		e.Field, e.Operator, e.Count = payloadCheck(t, e.Name), "", 0
	case ir.FirstTime:
		e.Window, e.Operator, e.Count = &ir.Window{Last: span(t)}, ir.Gte, 1
	case ir.Count:
	}
	if countable := e.Aggregate == ir.Count || e.Aggregate == ir.Min || e.Aggregate == ir.Max; countable && chance(t, "ago", 35) {
		e.Window = ago(t)
	}
}

func field(event, name string, typ ir.Type, path ...string) *ir.PropertyCheck {
	return &ir.PropertyCheck{Event: event, Name: name, Type: typ, Path: path}
}

// window draws a window that does not roll.
func window(t *rapid.T) *ir.Window {
	from, to := Start.Add(time.Duration(upTo(t, "from", -3, 9))*Hour), Start.Add(time.Duration(upTo(t, "to", 10, 20))*Hour)
	switch upTo(t, "kind of window", 0, 5) {
	case 0:
		return &ir.Window{From: &from, To: &to}
	case 1:
		return &ir.Window{From: &from}
	case 2:
		return &ir.Window{To: &to}
	default:
		return &ir.Window{Calendar: one(t, "calendar", ir.Day, ir.Day, ir.Week, ir.Month), Zone: one(t, "zone", zones...)}
	}
}

// ago draws a window that ends some time ago.
func ago(t *rapid.T) *ir.Window {
	until := span(t)
	return &ir.Window{Last: until + span(t), Until: until, Ago: true}
}

// filter draws a tree of conditions on a payload.
func filter(t *rapid.T, event string, depth int) *ir.Node {
	op := ir.OpProperty
	if depth > 0 {
		op = one(t, "filter op", ir.OpProperty, ir.OpProperty, ir.OpAll, ir.OpAny, ir.OpNot, ir.OpAtLeastOf)
	}
	n := &ir.Node{Op: op}
	switch op {
	case ir.OpProperty:
		n.Property = payloadCheck(t, event)
	case ir.OpNot:
		n.Children = []*ir.Node{filter(t, event, depth-1)}
	default:
		for range upTo(t, "filters", 1, 3) {
			n.Children = append(n.Children, filter(t, event, depth-1))
		}
		if op == ir.OpAtLeastOf {
			n.Count = upTo(t, "at least", 1, len(n.Children))
		}
	}
	return n
}

// payloadCheck draws a condition on a field of a payload.
func payloadCheck(t *rapid.T, event string) *ir.PropertyCheck {
	p := propertyCheck(t)
	for p.Operator == ir.HasBeen || p.Operator == ir.Changed {
		p = propertyCheck(t)
	}
	p.Event, p.TraitsOnly = event, false
	return p
}
