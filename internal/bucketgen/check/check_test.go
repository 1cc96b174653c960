package check_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/internal/bucketgen/check"
	"github.com/bucketgen/bucketgen/internal/ir"
)

// The golden cases of package bucketgen test the rules for definitions in Go. The cases here are
// rules that only definitions from elsewhere can break, and those that are shorter without Go
// around them.

func at(line int) ir.Pos { return ir.Pos{File: "x.go", Line: line} }

func event(op ir.Operator, n int, window time.Duration) *ir.Node {
	node := &ir.Node{Op: ir.OpEvent, Pos: at(2), Event: &ir.EventCheck{Name: "visit", Operator: op, Count: n}}
	if window != 0 {
		node.Event.Window = &ir.Window{Last: window}
	}
	return node
}

func property(op ir.Operator, v *ir.Value) *ir.Node {
	return &ir.Node{Op: ir.OpProperty, Pos: at(2), Property: &ir.PropertyCheck{Name: "plan", Operator: op, Value: v}}
}

func combine(op ir.Op, children ...*ir.Node) *ir.Node {
	return &ir.Node{Op: op, Pos: at(2), Children: children}
}

func dynamic(criteria *ir.Node) ir.Definition {
	return ir.Definition{ID: "a", Pos: at(1), Kind: ir.Dynamic, Criteria: criteria}
}

func problems(f *ir.File) []string {
	var got []string
	for _, p := range check.Problems(f) {
		got = append(got, p.String())
	}
	return got
}

func TestProblems(t *testing.T) {
	t.Parallel()
	exists := event(ir.Gte, 1, 0)
	tests := map[string]struct {
		definition ir.Definition
		want       string
	}{
		"fine":            {dynamic(exists), ""},
		"kind":            {ir.Definition{ID: "a", Pos: at(1), Kind: "static"}, `x.go:1: bucket "a": there is no kind "static"; write dynamic or manual`},
		"entry limit":     {ir.Definition{ID: "a", Pos: at(1), Kind: ir.Manual, EntryLimit: "twice"}, `x.go:1: bucket "a": there is no entry limit "twice"; write unlimited, once or once_per_period`},
		"unlimited":       {ir.Definition{ID: "a", Pos: at(1), Kind: ir.Manual, EntryLimit: ir.Unlimited}, ""},
		"operation":       {dynamic(combine("xor", exists)), `x.go:2: bucket "a": there is no criteria of type "xor"; use properties, events, sequences, InBucket, All, Any, Not and AtLeastOf`},
		"not of two":      {dynamic(combine(ir.OpNot, exists, exists)), `x.go:2: bucket "a": Not takes one criteria; combine several with All or Any first`},
		"not of none":     {dynamic(combine(ir.OpNot)), `x.go:2: bucket "a": Not takes one criteria; combine several with All or Any first`},
		"count operator":  {dynamic(event(ir.Contains, 1, 0)), `x.go:2: bucket "a": a count cannot be compared by "contains"; use eq, gt, gte, lt or lte`},
		"operator":        {dynamic(property("like", nil)), `x.go:2: bucket "a": there is no operator "like" for properties; see the methods of bucket.Text, Number, Bool, Time and List`},
		"no operand":      {dynamic(property(ir.Eq, nil)), `x.go:2: bucket "a": operator eq of property "plan" has nothing to compare with; give it a value`},
		"no position":     {ir.Definition{Kind: ir.Manual}, `-: a bucket has no ID; give it one like "power-users"`},
		"parked":          {ir.Definition{ID: "a", Pos: at(1), Kind: ir.Manual, Problems: []ir.Problem{{Pos: at(7), Text: "100% wrong"}}}, `x.go:7: bucket "a": 100% wrong`},
		"composite":       {dynamic(combine(ir.OpAll, exists, property(ir.Eq, &ir.Value{Composite: true}))), ""},
		"undefined":       {ir.Definition{GoName: "A", Pos: at(1)}, `x.go:1: variable A is an undefined bucket.Definition; write A = bucket.Define(...)`},
		"lone dash":       {ir.Definition{ID: "-", Pos: at(1), Kind: ir.Manual}, `x.go:1: bucket "-": an id is 1 to 64 lower-case letters, digits, dashes and underscores, with a letter or digit at both ends; choose one like "power-users"`},
		"longest id":      {ir.Definition{ID: "64-" + strings.Repeat("x", 61), Pos: at(1), Kind: ir.Manual}, ""},
		"manual and time": {ir.Definition{ID: "a", Pos: at(1), Kind: ir.Manual, TimeBased: new(bool)}, `x.go:1: warning: bucket "a": TimeBased is ignored: whether the clock matters is derived from the criteria; drop it`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(problems(&ir.File{Definitions: []ir.Definition{tt.definition}}), "\n")
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// TestOrder checks that all problems come at once, sorted by file and line, without repetition.
func TestOrder(t *testing.T) {
	t.Parallel()
	wrong := event(ir.Gte, -1, 0)
	wrong.Pos = ir.Pos{File: "a.go", Line: 10}
	f := &ir.File{
		Problems: []ir.Problem{{Pos: ir.Pos{File: "b.go", Line: 1}, Text: "of the package"}},
		Definitions: []ir.Definition{
			{ID: "B", Pos: ir.Pos{File: "b.go", Line: 20}, Kind: ir.Manual},
			{ID: "b", Pos: ir.Pos{File: "b.go", Line: 3}, Kind: ir.Dynamic},
			{ID: "a", Pos: ir.Pos{File: "a.go", Line: 9}, Kind: ir.Dynamic, Criteria: combine(ir.OpAll, wrong, wrong)},
		},
	}
	want := []string{
		`a.go:10: bucket "a": event "visit" cannot occur -1 times; count from 0 up`,
		`b.go:1: of the package`,
		`b.go:3: bucket "b": a dynamic bucket needs Criteria; give it some, or set Kind: bucket.Manual`,
		`b.go:20: bucket "B": an id is 1 to 64 lower-case letters, digits, dashes and underscores, with a letter or digit at both ends; write "b"`,
	}
	if d := cmp.Diff(want, problems(f)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	all := []check.Problem{{Text: "a", Warning: true}, {Text: "b"}, {Text: "c", Warning: true}}
	if d := cmp.Diff([]check.Problem{{Text: "b"}}, check.Errors(all)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if len(all) != 3 || all[0].Text != "a" {
		t.Errorf("Errors changed its argument to %v", all)
	}
}

// TestPositive checks which conditions suffice for a bucket.
func TestPositive(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * time.Hour
	text := "pro"
	pro := &ir.Value{Text: &text}
	not := func(n *ir.Node) *ir.Node { return combine(ir.OpNot, n) }
	tests := map[string]struct {
		criteria *ir.Node
		want     bool
	}{
		"exists":                       {event(ir.Gte, 1, 0), true},
		"more than 0":                  {event(ir.Gt, 0, 0), true},
		"exactly 2":                    {event(ir.Eq, 2, 0), true},
		"exactly 0":                    {event(ir.Eq, 0, 0), false},
		"at most 3":                    {event(ir.Lte, 3, 0), false},
		"less than 3":                  {event(ir.Lt, 3, 0), false},
		"never":                        {event(ir.Lte, 0, 0), false},
		"never in a week":              {event(ir.Lte, 0, week), true},
		"at least 0 in a week":         {event(ir.Gte, 0, week), false},
		"not at least 0 in a week":     {not(event(ir.Gte, 0, week)), true},
		"not exists":                   {not(event(ir.Gte, 1, 0)), false},
		"not exists in a week":         {not(event(ir.Gte, 1, week)), true},
		"not never":                    {not(event(ir.Lte, 0, 0)), true},
		"is":                           {property(ir.Eq, pro), true},
		"is not":                       {property(ir.Neq, pro), false},
		"not is":                       {not(property(ir.Eq, pro)), false},
		"not is not":                   {not(property(ir.Neq, pro)), true},
		"property exists":              {property(ir.Exists, nil), true},
		"property does not exist":      {property(ir.NotExists, nil), false},
		"all of absence and presence":  {combine(ir.OpAll, property(ir.Neq, pro), event(ir.Gte, 1, 0)), true},
		"all of absences":              {combine(ir.OpAll, property(ir.Neq, pro), event(ir.Lte, 0, 0)), false},
		"not any of presences":         {not(combine(ir.OpAny, property(ir.Eq, pro), event(ir.Gte, 1, 0))), false},
		"not any, one of them absent":  {not(combine(ir.OpAny, property(ir.Neq, pro), event(ir.Gte, 1, 0))), true},
		"not not any of two presences": {not(not(combine(ir.OpAny, property(ir.Eq, pro), event(ir.Gte, 1, 0)))), true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := problems(&ir.File{Definitions: []ir.Definition{dynamic(tt.criteria)}})
			if (len(got) == 0) != tt.want {
				t.Errorf("positive is %t, want %t: %s", len(got) == 0, tt.want, strings.Join(got, "\n"))
			}
		})
	}
}

func TestGoName(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ got, want string }{
		"bucket":               {check.GoName("power-users"), "PowerUsers"},
		"bucket, underscores":  {check.GoName("a__b--c"), "ABC"},
		"bucket, digit":        {check.GoName("7-days"), "Bucket7Days"},
		"property":             {check.PropertyGoName("trial_days.left"), "TrialDaysLeft"},
		"property, initialism": {check.PropertyGoName("cart_id"), "CartID"},
		"property, camel case": {check.PropertyGoName("cartId"), "CartID"},
		"property, no initial": {check.PropertyGoName("paid"), "Paid"},
		"property, digit":      {check.PropertyGoName("2fa"), "Property2fa"},
		"property, no letters": {check.PropertyGoName("日本"), "Property"},
		"event":                {check.EventGoName("app.active"), "AppActive"},
		"event, no letters":    {check.EventGoName("..."), "Event"},
		"after":                {check.TickGoName("power-users", ir.Tick{Span: 36 * time.Hour}), "PowerUsersAfter1Day12Hours"},
		"every":                {check.TickGoName("a", ir.Tick{Every: true, Span: 2*time.Minute + 3*time.Second + time.Millisecond}), "AEvery2Minutes3Seconds1Millisecond"},
		"label, days":          {check.TickLabel(ir.Tick{Every: true, Span: 30 * 24 * time.Hour}), "every-30d"},
		"label, one day":       {check.TickLabel(ir.Tick{Span: 24 * time.Hour}), "after-1d"},
		"label, hours":         {check.TickLabel(ir.Tick{Every: true, Span: 36 * time.Hour}), "every-36h"},
		"label, minutes":       {check.TickLabel(ir.Tick{Every: true, Span: 90 * time.Minute}), "every-90m"},
		"label, seconds":       {check.TickLabel(ir.Tick{Span: 24*time.Hour + time.Second}), "after-86401s"},
		"label, milliseconds":  {check.TickLabel(ir.Tick{Span: time.Hour + time.Millisecond}), "after-3600001ms"},
	}
	for name, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got %s, want %s", name, tt.got, tt.want)
		}
	}
}
