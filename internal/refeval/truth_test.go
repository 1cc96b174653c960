package refeval_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
)

var start = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

func hours(h float64) time.Time { return start.Add(time.Duration(h * float64(time.Hour))) }

// occurs asks how often "a" occurred in the last hours, 0 for ever.
func occurs(h int, op ir.Operator, n int) *ir.Node {
	e := &ir.EventCheck{Name: "a", Operator: op, Count: n}
	if h > 0 {
		e.Window = &ir.Window{Last: time.Duration(h) * time.Hour}
	}
	return &ir.Node{Op: ir.OpEvent, Event: e}
}

// ago asks how often "a" occurred in a window between two numbers of hours ago.
func ago(from, until int, op ir.Operator, n int) *ir.Node {
	w := &ir.Window{Last: time.Duration(from) * time.Hour, Until: time.Duration(until) * time.Hour, Ago: true}
	return &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: "a", Operator: op, Count: n, Window: w}}
}

// property asks about the property "p". The operand is JSON, or nothing.
func property(typ ir.Type, op ir.Operator, operand string, span time.Duration) *ir.Node {
	p := &ir.PropertyCheck{Name: "p", Type: typ, Operator: op, Span: span}
	var v any
	if operand != "" && json.Unmarshal([]byte(operand), &v) != nil {
		panic(operand)
	}
	switch v := v.(type) {
	case string:
		p.Value = &ir.Value{Text: &v}
		if t, err := time.Parse(time.RFC3339, v); err == nil && typ == ir.Time {
			p.Value = &ir.Value{Time: &t}
		}
	case float64:
		p.Value = &ir.Value{Number: &v}
	case bool:
		p.Value = &ir.Value{Bool: &v}
	case []any:
		p.Value = &ir.Value{Composite: true}
	}
	return &ir.Node{Op: ir.OpProperty, Property: p}
}

func combine(op ir.Op, children ...*ir.Node) *ir.Node { return &ir.Node{Op: op, Children: children} }

func twoOf(children ...*ir.Node) *ir.Node {
	return &ir.Node{Op: ir.OpAtLeastOf, Count: 2, Children: children}
}

func occurred(at ...float64) *refeval.Facts {
	f := &refeval.Facts{}
	for _, h := range at {
		f.Events = append(f.Events, refeval.Event{Name: "a", At: hours(h)})
	}
	return f
}

func TestProperties(t *testing.T) {
	t.Parallel()
	const none = ""
	for _, test := range []struct {
		op       ir.Operator
		operand  string
		holds    []string // JSON of the values for which it holds
		holdsNot []string
	}{
		{ir.Eq, `5`, []string{`5`, `5.0`}, []string{`"5"`, `6`, `true`, `[5]`, `null`}},
		{ir.Eq, `"5"`, []string{`"5"`}, []string{`5`, `"05"`}},
		{ir.Eq, `true`, []string{`true`}, []string{`"true"`, `false`, `1`}},
		{ir.Eq, `[]`, nil, []string{`[]`, `{}`, `null`}},
		{ir.Neq, `5`, []string{`"5"`, `6`, `[5]`, `null`}, []string{`5`}},
		{ir.Gt, `5`, []string{`6`}, []string{`5`, `"6"`, `true`, `null`, `[6]`}},
		{ir.Gte, `5`, []string{`5`, `6`}, []string{`4`, `"5"`}},
		{ir.Lt, `5`, []string{`4`, `-1e3`}, []string{`5`, `null`, `""`}},
		{ir.Lte, `5`, []string{`5`}, []string{`6`, `null`}},
		{ir.Gt, `"5"`, nil, []string{`6`, `"6"`}},
		{ir.Contains, `"ro"`, []string{`"pro"`, `"ro"`}, []string{`"PRO"`, `["ro"]`, `null`, `5`}},
		{ir.Contains, `5`, nil, []string{`"5"`, `5`}},
		{ir.Exists, none, []string{`0`, `""`, `false`, `[]`}, []string{`null`}},
		{ir.NotExists, none, []string{`null`}, []string{`0`, `""`, `false`, `[]`}},
	} {
		n := property(ir.Any, test.op, test.operand, 0)
		for want, values := range map[bool][]string{true: test.holds, false: test.holdsNot} {
			for _, value := range values {
				var v any
				if err := json.Unmarshal([]byte(value), &v); err != nil {
					t.Fatal(err)
				}
				if got := refeval.Holds(n, &refeval.Facts{Properties: map[string]any{"p": v}}, start); got != want {
					t.Errorf("%s for %s: got %t", refeval.DescribeNode(n), value, got)
				}
			}
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		n    *ir.Node
		from float64 // hours at which it begins to hold for the instant 10:00, -100 for always
		to   float64 // and ceases to, 100 for never
	}{
		{property(ir.Time, ir.Before, `"2026-01-01T11:00:00Z"`, 0), -100, 100},
		{property(ir.Time, ir.Before, `"2026-01-01T10:00:00Z"`, 0), 100, 100},
		{property(ir.Time, ir.After, `"2026-01-01T09:59:59Z"`, 0), -100, 100},
		{property(ir.Time, ir.After, `"2026-01-01T10:00:00Z"`, 0), 100, 100},
		{property(ir.Time, ir.InTheLast, "", 2*time.Hour), 10, 12},
		{property(ir.Time, ir.MoreThanAgo, "", 2*time.Hour), 12, 100},
		{property(ir.Time, ir.InTheNext, "", 2*time.Hour), 8, 10},
	} {
		for _, value := range []string{"2026-01-01T10:00:00Z", "2026-01-01T12:30:00.0000009+02:30"} {
			f := &refeval.Facts{Properties: map[string]any{"p": value}}
			for _, now := range []float64{-100, 7, 8, 9, 10, 11, 12, 13} {
				for _, near := range []time.Duration{-time.Microsecond, 0} {
					at := hours(now).Add(near)
					want := !at.Before(hours(test.from)) && at.Before(hours(test.to)) || test.from == -100
					if got := refeval.Holds(test.n, f, at); got != want {
						t.Errorf("%s for %s at %s: got %t", refeval.DescribeNode(test.n), value, at, got)
					}
				}
			}
		}
		for _, value := range []any{"2026-01-01", "2026-01-01T3:00:00Z", "2026-01-01T10:00:00,5Z", 10.0, nil} {
			if refeval.Holds(test.n, &refeval.Facts{Properties: map[string]any{"p": value}}, hours(11)) {
				t.Errorf("%s holds for %v, which is no instant", refeval.DescribeNode(test.n), value)
			}
		}
	}
}

func TestHorizons(t *testing.T) {
	t.Parallel()
	never := -1.0
	for _, test := range []struct {
		name  string
		n     *ir.Node
		f     *refeval.Facts
		now   float64
		holds bool
		until float64
	}{
		{"the window does not contain its beginning", occurs(1, ir.Gte, 1), occurred(0), 1, false, never},
		{"it lasts until then", occurs(1, ir.Gte, 1), occurred(0), 0.5, true, 1},
		{"the k-th newest counts", occurs(3, ir.Gte, 2), occurred(2, 0, 1), 2, true, 4},
		{"no clock makes it true", occurs(3, ir.Gte, 4), occurred(2, 0, 1), 2, false, never},
		{"absence comes when the last one goes", occurs(3, ir.Lte, 0), occurred(2, 0, 1), 2, false, 5},
		{"less than two when the second newest goes", occurs(3, ir.Lt, 2), occurred(2, 0, 1), 2, false, 4},
		{"exactly one, later", occurs(3, ir.Eq, 1), occurred(2, 0, 1), 2, false, 4},
		{"exactly one, no more", occurs(3, ir.Eq, 1), occurred(2, 0, 1), 4, true, 5},
		{"exactly one is passed by", occurs(3, ir.Eq, 1), occurred(2, 2), 2, false, never},
		{"what is too young does not count yet", ago(3, 1, ir.Gte, 1), occurred(0), 0.5, false, 1},
		{"it enters", ago(3, 1, ir.Gte, 1), occurred(0), 1, true, 3},
		{"it leaves", ago(4, 2, ir.Gte, 1), occurred(0), 4, false, never},
		{"two of three are ever together", ago(3, 1, ir.Gte, 2), occurred(0, 2, 3), 1, false, 4},
		{"absence ends when one enters", ago(3, 1, ir.Lte, 0), occurred(0), 0, true, 1},
		{"absence comes when the last one goes", ago(3, 1, ir.Lte, 0), occurred(0, 1), 2, false, 4},
		{"one more enters when one leaves", ago(3, 1, ir.Gte, 1), occurred(0, 2), 1, true, 5},
		{"exactly one until another enters", ago(3, 1, ir.Eq, 1), occurred(0, 1), 1, true, 2},
		{"exactly one when one of two leaves", ago(3, 1, ir.Eq, 1), occurred(0, 1), 2, false, 3},
		{"ever has no horizon", occurs(0, ir.Gte, 1), occurred(0), 1, true, never},
		{"all that holds ends with the first", combine(ir.OpAll, occurs(1, ir.Gte, 1), occurs(3, ir.Gte, 1)), occurred(0), 0, true, 1},
		{"all waits for the last that fails", combine(ir.OpAll, occurs(1, ir.Lte, 0), occurs(3, ir.Lte, 0)), occurred(0), 0, false, 3},
		{"all with one that never holds", combine(ir.OpAll, occurs(1, ir.Lte, 0), occurs(0, ir.Lte, 0)), occurred(0), 0, false, never},
		{"any ends with the last", combine(ir.OpAny, occurs(1, ir.Gte, 1), occurs(3, ir.Gte, 1)), occurred(0), 0, true, 3},
		{"any comes with the first", combine(ir.OpAny, occurs(1, ir.Lte, 0), occurs(3, ir.Lte, 0)), occurred(0), 0, false, 1},
		{"two of three end when the second goes", twoOf(occurs(1, ir.Gte, 1), occurs(3, ir.Gte, 1), occurs(5, ir.Gte, 1)), occurred(0), 0, true, 3},
		{"two of three come with the second", twoOf(occurs(1, ir.Lte, 0), occurs(3, ir.Lte, 0), occurs(5, ir.Lte, 0)), occurred(0), 0, false, 3},
		{"two of three with one that holds", twoOf(occurs(1, ir.Lte, 0), occurs(3, ir.Gte, 1), occurs(5, ir.Lte, 0)), occurred(0), 0, false, 1},
		{"two of two that never come", twoOf(occurs(1, ir.Lte, 0), occurs(0, ir.Lte, 0)), occurred(0), 0, false, never},
		{"not keeps the horizon", combine(ir.OpNot, occurs(1, ir.Gte, 1)), occurred(0), 0, false, 1},
		{"a lower bound", combine(ir.OpAll, occurs(1, ir.Lte, 0), occurs(3, ir.Gte, 1), occurs(5, ir.Lte, 0)), occurred(0), 0, false, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := refeval.Never
			if test.until != never {
				want = hours(test.until)
			}
			if got := refeval.Holds(test.n, test.f, hours(test.now)); got != test.holds {
				t.Errorf("it holds: got %t", got)
			}
			if got := refeval.Until(test.n, test.f, hours(test.now)); !got.Equal(want) {
				t.Errorf("horizon: got %s, want %s", got, want)
			}
		})
	}
}
