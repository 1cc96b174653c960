package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/internal/bucketgen/check"
	"github.com/bucketgen/bucketgen/internal/ir"
)

// register returns those of some definitions that obey our rules, and for each of them what is
// wrong with it, if anything. Like the peer it takes them one by one, so that the second of two
// that collide is the one that is refused.
func (v *Vector) register(buckets []Bucket) (*ir.File, []string) {
	f := &ir.File{Version: ir.Version}
	wrong := make([]string, len(buckets))
	for i := range buckets {
		d := v.definition(&buckets[i])
		with := *f
		with.Definitions = append(slices.Clone(f.Definitions), d)
		if problems := check.Errors(check.Problems(&with)); len(problems) > 0 {
			wrong[i] = problems[0].Text
			continue
		}
		*f = with
	}
	return f, wrong
}

func (v *Vector) definition(b *Bucket) ir.Definition {
	d := ir.Definition{
		ID: b.ID, Name: b.Name, Kind: ir.Dynamic, Disabled: b.Enabled != nil && !*b.Enabled, EntryLimit: ir.EntryLimit(b.EntryLimit),
		TimeBased: b.TimeBased, ReconcileJoins: b.ReconcileJoins, FastExpiry: b.FastExpiry,
		Anonymous: true,
	}
	if b.Kind != "" {
		d.Kind = ir.Kind(b.Kind)
	}
	if given(b.Criteria) {
		d.Criteria = criteria(b.Criteria)
	}
	for _, span := range []struct {
		raw json.RawMessage
		to  *time.Duration
	}{{b.EntryPeriod, &d.EntryPeriod}, {b.MinDwell, &d.MinDwell}, {b.MaxDwell, &d.MaxDwell}} {
		var err error
		if given(span.raw) {
			*span.to, err = duration(span.raw)
		}
		if err != nil {
			d.Problems = append(d.Problems, ir.Problem{Text: err.Error()})
		}
	}
	for _, r := range v.DwellReactions {
		if r.Bucket == b.ID {
			span := time.Duration(max(r.AfterMs, r.EveryMs)) * time.Millisecond
			d.Ticks = append(d.Ticks, ir.Tick{Every: r.EveryMs > 0, Span: span})
		}
	}
	return d
}

func given(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// condition is a node of the peer's criteria.
type condition struct {
	Type       string            `json:"type"`
	Property   string            `json:"property"`
	EventName  string            `json:"eventName"`
	Check      string            `json:"check"`
	Operator   string            `json:"operator"`
	Value      json.RawMessage   `json:"value"`
	Within     json.RawMessage   `json:"within"`
	Conditions []json.RawMessage `json:"conditions"`
}

// criteria translates a criteria. What has no meaning for us becomes a problem of its node.
func criteria(raw json.RawMessage) *ir.Node {
	var c condition
	if err := json.Unmarshal(raw, &c); err != nil {
		return problem("the condition cannot be read: %v", err)
	}
	switch c.Type {
	case "property":
		return c.property()
	case "event":
		return c.event()
	case "composite":
		return c.composite()
	default:
		return problem("there is no condition of type %q", c.Type)
	}
}

func problem(format string, args ...any) *ir.Node {
	return &ir.Node{
		Op:       ir.OpProperty,
		Property: &ir.PropertyCheck{Name: "none", Operator: ir.Exists},
		Problems: []ir.Problem{{Text: fmt.Sprintf(format, args...)}},
	}
}

func (c *condition) composite() *ir.Node {
	op, known := map[string]ir.Op{"and": ir.OpAll, "or": ir.OpAny, "not": ir.OpNot}[c.Operator]
	if !known {
		return problem("nothing combines conditions by %q", c.Operator)
	}
	n := &ir.Node{Op: op}
	for _, child := range c.Conditions {
		n.Children = append(n.Children, criteria(child))
	}
	return n
}

func (c *condition) property() *ir.Node {
	p := &ir.PropertyCheck{Name: c.Property, Operator: ir.Operator(c.Operator)}
	switch p.Operator {
	case ir.Exists, ir.NotExists:
	case ir.Eq, ir.Neq, ir.Gt, ir.Gte, ir.Lt, ir.Lte, ir.Contains:
		p.Value = operand(c.Value)
	default:
		return problem("properties are not compared by %q", c.Operator)
	}
	return &ir.Node{Op: ir.OpProperty, Property: p}
}

// operand translates what a property is compared with. Null is nothing to compare with.
func operand(raw json.RawMessage) *ir.Value {
	if !given(raw) {
		return nil
	}
	var text string
	var number float64
	var yes bool
	switch {
	case json.Unmarshal(raw, &text) == nil:
		return &ir.Value{Text: &text}
	case json.Unmarshal(raw, &number) == nil:
		return &ir.Value{Number: &number}
	case json.Unmarshal(raw, &yes) == nil:
		return &ir.Value{Bool: &yes}
	default:
		return &ir.Value{Composite: true}
	}
}

func (c *condition) event() *ir.Node {
	e := &ir.EventCheck{Name: c.EventName}
	switch c.Check {
	case "exists":
		e.Operator, e.Count = ir.Gte, 1
	case "not_exists":
		e.Operator, e.Count = ir.Lte, 0
	case "count":
		e.Operator = ir.Operator(c.Operator)
		if !given(c.Value) || json.Unmarshal(c.Value, &e.Count) != nil {
			return problem("a count is compared with a whole number")
		}
	default:
		return problem("nothing checks an event by %q", c.Check)
	}
	if given(c.Within) {
		last, err := duration(c.Within)
		if err != nil {
			return problem("within: %v", err)
		}
		e.Window = &ir.Window{Last: last}
	}
	return &ir.Node{Op: ir.OpEvent, Event: e}
}

// duration reads a span of time, of which the peer knows hours, minutes and seconds.
func duration(raw json.RawMessage) (time.Duration, error) {
	var parts map[string]float64
	if err := json.Unmarshal(raw, &parts); err != nil {
		return 0, fmt.Errorf("the span cannot be read: %w", err)
	}
	if len(parts) == 0 {
		return 0, errors.New("the span is empty")
	}
	units := map[string]time.Duration{"hours": time.Hour, "minutes": time.Minute, "seconds": time.Second}
	var span time.Duration
	for name, n := range parts {
		unit, known := units[name]
		if !known {
			return 0, fmt.Errorf("a span is not given in %s", name)
		}
		span += time.Duration(n * float64(unit)).Round(time.Microsecond)
	}
	return span, nil
}
