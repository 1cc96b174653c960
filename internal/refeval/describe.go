package refeval

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Describe writes definitions as people read them, a line each.
func Describe(f *ir.File) string {
	var b strings.Builder
	for i := range f.Definitions {
		b.WriteString(describe(&f.Definitions[i]) + "\n")
	}
	return b.String()
}

func describe(d *ir.Definition) string {
	parts := []string{fmt.Sprintf("bucket %s (%s)", d.ID, d.Kind)}
	add := func(given bool, format string, args ...any) {
		if given {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(d.Criteria != nil, "%s", DescribeNode(d.Criteria))
	add(d.Disabled, "paused")
	add(d.Anonymous, "anonymous contacts too")
	add(d.EntryLimit != "", "entry %s", d.EntryLimit)
	add(d.EntryPeriod > 0, "per %s", d.EntryPeriod)
	add(d.MinDwell > 0, "min dwell %s", d.MinDwell)
	add(d.MaxDwell > 0, "max dwell %s", d.MaxDwell)
	add(d.ReconcileJoins != nil && !*d.ReconcileJoins, "no joins by the clock")
	for _, t := range d.Ticks {
		add(t.Every, "tick every %s", t.Span)
		add(!t.Every, "tick after %s", t.Span)
	}
	return strings.Join(parts, ", ")
}

// DescribeNode writes a criteria as people read it.
func DescribeNode(n *ir.Node) string {
	switch {
	case n == nil:
		return "no criteria"
	case n.Event != nil:
		return describeEvent(n.Event)
	case n.Sample != nil:
		return fmt.Sprintf("%v%% by %q", n.Sample.Percent, n.Sample.Salt)
	case n.Sequence != nil:
		return describeSequence(n.Sequence)
	case n.Property != nil:
		return describeProperty(n.Property)
	case n.Op == ir.OpMember:
		return "in bucket " + n.Bucket
	}
	children := make([]string, len(n.Children))
	for i, child := range n.Children {
		children[i] = DescribeNode(child)
	}
	if n.Op == ir.OpAtLeastOf {
		children = slices.Insert(children, 0, strconv.Itoa(n.Count))
	}
	return fmt.Sprintf("%s(%s)", n.Op, strings.Join(children, ", "))
}

func describeProperty(p *ir.PropertyCheck) string {
	text := strings.Join(append([]string{p.Name}, p.Path...), ".")
	if p.TraitsOnly {
		text += " (traits only)"
	}
	text += " " + string(p.Operator)
	if p.Fold {
		text += " in any case"
	}
	var values strings.Builder
	values.WriteString(describeValue(p.Value))
	for _, v := range p.Values {
		values.WriteString(describeValue(v))
	}
	text += values.String()
	if p.From != nil {
		text += " from" + describeValue(p.From)
	}
	if p.To != nil {
		text += " to" + describeValue(p.To)
	}
	if p.Operator == ir.LengthIs || p.Operator == ir.LengthAtLeast || p.Operator == ir.LengthAtMost {
		text += " " + strconv.Itoa(p.Count)
	}
	if p.Span != 0 {
		text += " " + p.Span.String()
	}
	if p.Zone != "" {
		text += " in " + p.Zone
	}
	return text
}

func describeValue(v *ir.Value) string {
	switch {
	case v == nil:
		return ""
	case v.Text != nil:
		return " " + strconv.Quote(*v.Text)
	case v.Number != nil:
		return fmt.Sprintf(" %v", *v.Number)
	case v.Bool != nil:
		return fmt.Sprintf(" %v", *v.Bool)
	case v.Time != nil:
		return " " + stamp(*v.Time)
	default:
		return " a list"
	}
}

// DescribeSteps writes steps as people read them, a line each.
func DescribeSteps(steps []Action) string {
	var b strings.Builder
	for i, s := range steps {
		fmt.Fprintf(&b, "%3d %s %s %s", i, stamp(s.At), s.Op, s.User)
		for _, part := range []struct{ name, text string }{
			{"into", s.Into},
			{"bucket", s.Bucket},
			{"event", s.Name},
			{"properties", string(s.Properties)},
			{"traits", string(s.Traits)},
			{"traits once", string(s.TraitsOnce)},
			{"key", s.Key},
			{"anonymous", s.Anonymous},
			{"email", s.Email},
			{"untrusted", map[bool]string{true: "yes"}[s.Untrusted]},
			{"traits only", map[bool]string{true: "yes"}[s.TraitsOnly]},
		} {
			if part.text != "" {
				fmt.Fprintf(&b, " %s %q", part.name, part.text)
			}
		}
		if !s.OccurredAt.IsZero() {
			fmt.Fprintf(&b, " of %s", stamp(s.OccurredAt))
		}
		b.WriteString("\n")
		if s.Definitions != nil {
			fmt.Fprintf(&b, "    announces %s, and defines\n", s.Emit)
			for line := range strings.Lines(Describe(s.Definitions)) {
				b.WriteString("      " + line)
			}
		}
	}
	return b.String()
}

// Diff says where two histories first differ, for each user, or nothing. Transitions are compared
// by their instants, and of one instant in the order in which they happened. That is not known of
// two users before they became one: where there are such, those of one instant are compared bucket
// by bucket.
func Diff(want, got *History) string {
	var b strings.Builder
	for i := range want.Steps {
		if i < len(got.Steps) && (want.Steps[i].Refused == "") != (got.Steps[i].Refused == "") || want.Steps[i].Duplicate != got.Steps[i].Duplicate {
			fmt.Fprintf(&b, "step %d: want %+v, got %+v\n", i, want.Steps[i], got.Steps[i])
			break
		}
	}
	merged := slices.ContainsFunc(want.Steps, func(r StepResult) bool { return r.Merged })
	for _, user := range users(want, got) {
		firstDiff(&b, "transition of "+user, byTime(want.Of(user), merged), byTime(got.Of(user), merged))
		firstDiff(&b, "stay of "+user, staysOf(want, user), staysOf(got, user))
	}
	return b.String()
}

func users(histories ...*History) []string {
	var all []string
	for _, h := range histories {
		for _, t := range h.Transitions {
			all = append(all, t.User)
		}
		for _, s := range h.Stays {
			all = append(all, s.User)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func byTime(transitions []Transition, byBucket bool) []string {
	slices.SortStableFunc(transitions, func(a, b Transition) int {
		if byBucket {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Bucket, b.Bucket), cmp.Compare(a.EntryCount, b.EntryCount))
		}
		return a.At.Compare(b.At)
	})
	lines := make([]string, len(transitions))
	for i, t := range transitions {
		lines[i] = t.String()
	}
	return lines
}

func staysOf(h *History, user string) []string {
	var stays []Stay
	for _, s := range h.Stays {
		if s.User == user {
			stays = append(stays, s)
		}
	}
	slices.SortFunc(stays, func(a, b Stay) int {
		return cmp.Or(cmp.Compare(a.Bucket, b.Bucket), cmp.Compare(a.EntryCount, b.EntryCount), a.EnteredAt.Compare(b.EnteredAt))
	})
	lines := make([]string, len(stays))
	for i, s := range stays {
		lines[i] = s.String()
	}
	return lines
}

func firstDiff(b *strings.Builder, what string, want, got []string) {
	for i := range max(len(want), len(got)) {
		w, g := "nothing", "nothing"
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if w != g {
			fmt.Fprintf(b, "%s, number %d:\n  want %s\n  got  %s\n", what, i+1, w, g)
			return
		}
	}
}
