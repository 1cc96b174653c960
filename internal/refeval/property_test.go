package refeval_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
)

func operandsOf(values ...any) []*ir.Value {
	var all []*ir.Value
	for _, v := range values {
		switch v := v.(type) {
		case string:
			all = append(all, &ir.Value{Text: &v})
		case float64:
			all = append(all, &ir.Value{Number: &v})
		case bool:
			all = append(all, &ir.Value{Bool: &v})
		case time.Time:
			all = append(all, &ir.Value{Time: &v})
		}
	}
	return all
}

func operandOf(value any) *ir.Value { return operandsOf(value)[0] }

// TestOperators states by hand the meaning of operators that take more than one value, search a
// text, a list or an object, or ignore letter case.
func TestOperators(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		check    ir.PropertyCheck
		holds    []string // JSON of the values for which it holds
		holdsNot []string
	}{
		{ir.PropertyCheck{Type: ir.Text, Operator: ir.In, Values: operandsOf("free", "pro")}, []string{`"free"`, `"pro"`}, []string{`"Pro"`, `""`, `5`, `["pro"]`, `null`}},
		{ir.PropertyCheck{Type: ir.Text, Operator: ir.NotIn, Values: operandsOf("free", "pro")}, []string{`"Pro"`, `5`, `["pro"]`, `null`}, []string{`"free"`, `"pro"`}},
		{ir.PropertyCheck{Type: ir.Number, Operator: ir.In, Values: operandsOf(1.0, 2.5)}, []string{`1`, `1.0`, `2.5`}, []string{`"1"`, `2`, `true`, `null`}},
		{ir.PropertyCheck{Type: ir.Number, Operator: ir.NotIn, Values: operandsOf(1.0)}, []string{`"1"`, `2`, `null`}, []string{`1`}},
		{ir.PropertyCheck{Type: ir.Number, Operator: ir.Between, Values: operandsOf(1.0, 2.0)}, []string{`1`, `1.5`, `2`}, []string{`0.999`, `2.001`, `"1"`, `null`, `[1]`}},
		{ir.PropertyCheck{Type: ir.Text, Operator: ir.HasPrefix, Value: operandOf("pro")}, []string{`"pro"`, `"professional"`}, []string{`"Pro"`, `"a pro"`, `["pro"]`, `null`}},
		{ir.PropertyCheck{Type: ir.Text, Operator: ir.HasSuffix, Value: operandOf("pro")}, []string{`"pro"`, `"a pro"`}, []string{`"professional"`, `5`, `null`}},
		{ir.PropertyCheck{Type: ir.Text, Operator: ir.Matches, Value: operandOf("b+$")}, []string{`"abb"`, `"b"`}, []string{`"ba"`, `""`, `["b"]`, `null`}},
		{ir.PropertyCheck{Type: ir.Text, Operator: ir.Eq, Fold: true, Value: operandOf("stra\u00dfe")}, []string{`"Stra\u1e9eE"`, `"STRA\u00dfE"`}, []string{`"strasse"`, `null`}},
		{ir.PropertyCheck{Type: ir.Text, Operator: ir.Eq, Fold: true, Value: operandOf("k")}, []string{`"K"`, `"\u212a"`}, []string{`"c"`}},
		{ir.PropertyCheck{Type: ir.Text, Operator: ir.In, Fold: true, Values: operandsOf("a", "pro")}, []string{`"A"`, `"PRO"`}, []string{`"b"`, `5`}},
		{ir.PropertyCheck{Type: ir.Text, Operator: ir.Contains, Fold: true, Value: operandOf("kK")}, []string{`"a\u212ak"`, `"KK"`}, []string{`"k k"`, `null`}},
		{ir.PropertyCheck{Type: ir.Text, Operator: ir.HasPrefix, Fold: true, Value: operandOf("\u212a")}, []string{`"kelvin"`}, []string{`"a k"`}},
		{ir.PropertyCheck{Type: ir.Text, Operator: ir.HasSuffix, Fold: true, Value: operandOf("RO")}, []string{`"pro"`}, []string{`"rob"`}},
		{ir.PropertyCheck{Type: ir.List, Operator: ir.HasAny, Values: operandsOf("a", "b")}, []string{`["b"]`, `[5, "a"]`}, []string{`"a"`, `["A"]`, `[]`, `[["a"]]`, `{"a": 1}`, `null`}},
		{ir.PropertyCheck{Type: ir.List, Operator: ir.HasAll, Values: operandsOf("a", "b")}, []string{`["b", "a"]`, `["a", "c", "b"]`}, []string{`["a"]`, `"ab"`, `null`}},
		{ir.PropertyCheck{Type: ir.List, Operator: ir.LengthIs, Count: 2}, []string{`[1, null]`}, []string{`[1]`, `"ab"`, `{"a": 1, "b": 2}`, `null`}},
		{ir.PropertyCheck{Type: ir.List, Operator: ir.LengthAtLeast, Count: 1}, []string{`[1]`, `["a", "b"]`}, []string{`[]`, `"a"`, `null`}},
		{ir.PropertyCheck{Type: ir.List, Operator: ir.LengthAtMost, Count: 0}, []string{`[]`}, []string{`["a"]`, `""`, `{}`, `null`}},
		{ir.PropertyCheck{Type: ir.Text, Path: []string{"a", "b"}, Operator: ir.Eq, Value: operandOf("x")}, []string{`{"a": {"b": "x"}}`}, []string{`{"a": "x"}`, `{"a": [{"b": "x"}]}`, `{"a.b": "x"}`, `"x"`, `null`}},
		{ir.PropertyCheck{Type: ir.Text, Path: []string{"a"}, Operator: ir.NotExists}, []string{`{"a": null}`, `{}`, `[]`, `null`}, []string{`{"a": []}`}},
		{
			ir.PropertyCheck{Type: ir.Time, Operator: ir.Between, Values: operandsOf(hours(1), hours(2))},
			[]string{`"2026-01-01T01:00:00Z"`, `"2026-01-01T02:00:00Z"`},
			[]string{`"2026-01-01T00:59:59.999999Z"`, `"2026-01-01T02:00:00.000001Z"`, `"2026-01-01"`, `null`},
		},
	} {
		test.check.Name = "p"
		n := &ir.Node{Op: ir.OpProperty, Property: &test.check}
		for want, values := range map[bool][]string{true: test.holds, false: test.holdsNot} {
			for _, value := range values {
				f := &refeval.Facts{}
				if err := json.Unmarshal([]byte(`{"p": `+value+`}`), &f.Properties); err != nil {
					t.Fatal(err)
				}
				if got := refeval.Holds(n, f, start); got != want {
					t.Errorf("%s for %s: got %t", refeval.DescribeNode(n), value, got)
				}
			}
		}
	}
}

// TestHistory says by hand when a property that became "pro" at 10:00, and was "free" before, has
// been and has changed.
func TestHistory(t *testing.T) {
	t.Parallel()
	const d = 2 * time.Hour
	f := &refeval.Facts{
		Properties: map[string]any{"p": "pro", "old": "pro"},
		Changes:    map[string]refeval.Change{"p": {Was: "free", At: hours(10)}, "gone": {Was: "pro", At: hours(10)}, "first": {At: hours(10)}},
	}
	for _, test := range []struct {
		check    ir.PropertyCheck
		from, to float64 // hours between which it holds; the reference knows nothing of the past, so 10 is the least
	}{
		{ir.PropertyCheck{Name: "p", Operator: ir.HasBeen, Value: operandOf("pro"), Span: d}, 12, 100},
		{ir.PropertyCheck{Name: "p", Operator: ir.HasBeen, Value: operandOf("free"), Span: d}, 100, 100},
		{ir.PropertyCheck{Name: "old", Operator: ir.HasBeen, Value: operandOf("pro"), Span: d}, 10, 100},
		{ir.PropertyCheck{Name: "gone", Operator: ir.HasBeen, Value: operandOf("pro"), Span: d}, 100, 100},
		{ir.PropertyCheck{Name: "p", Operator: ir.Changed, Span: d}, 10, 12},
		{ir.PropertyCheck{Name: "p", Operator: ir.Changed, From: operandOf("free"), To: operandOf("pro"), Span: d}, 10, 12},
		{ir.PropertyCheck{Name: "p", Operator: ir.Changed, From: operandOf("trial"), Span: d}, 100, 100},
		{ir.PropertyCheck{Name: "p", Operator: ir.Changed, To: operandOf("free"), Span: d}, 100, 100},
		{ir.PropertyCheck{Name: "old", Operator: ir.Changed, Span: d}, 100, 100},
		{ir.PropertyCheck{Name: "gone", Operator: ir.Changed, From: operandOf("pro"), Span: d}, 10, 12},
		{ir.PropertyCheck{Name: "first", Operator: ir.Changed, Span: d}, 10, 12},
		{ir.PropertyCheck{Name: "first", Operator: ir.Changed, From: operandOf("free"), Span: d}, 100, 100},
	} {
		n := &ir.Node{Op: ir.OpProperty, Property: &test.check}
		for _, now := range []float64{10, 11, 12, 13} {
			for _, at := range []time.Time{hours(now), hours(now + 1).Add(-time.Microsecond)} {
				want := !at.Before(hours(test.from)) && at.Before(hours(test.to))
				if got := refeval.Holds(n, f, at); got != want {
					t.Errorf("%s at %s: got %t", refeval.DescribeNode(n), at, got)
				}
			}
		}
	}
}
