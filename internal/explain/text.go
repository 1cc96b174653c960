package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/printable"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/words"
	"github.com/bucketgen/bucketgen/registry/table"
)

// explanation has the methods that put an explanation into words.
type explanation bucketgen.Explanation

// Text returns an explanation as people read it: over several lines, with the criteria drawn as a
// tree.
func Text(of *bucketgen.Explanation) string {
	x := (*explanation)(of)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nAs of %s.\n", x.membership(), stamp(x.At))
	if x.Criteria != nil {
		b.WriteString("\nCriteria:\n")
		draw(&b, x.Criteria, "  ", "  ")
	}
	if len(x.Drift) > 0 {
		b.WriteString("\nReceived with a wrong type, which matches nothing:\n")
		for _, d := range x.Drift {
			fmt.Fprintf(&b, "  %s\n", d.Says)
		}
	}
	b.WriteString("\nPolicy:\n")
	for _, line := range slices.Concat(x.Policy, x.policyEffect()) {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	b.WriteString("\nNext, if no event arrives:\n")
	for _, line := range x.next() {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	return b.String()
}

func (x *explanation) membership() string {
	bucket := x.BucketID
	if x.BucketName != x.BucketID {
		bucket = fmt.Sprintf("%s (%s)", x.BucketID, x.BucketName)
	}
	user := printable.Text(resolve.Text(resolve.Join(x.UserID, x.AnonymousID, x.IDs)))
	switch s := x.Stay; {
	case s == nil:
		return fmt.Sprintf("%s is not in %s, and never was.", user, bucket)
	case x.Member:
		return fmt.Sprintf("%s is in %s.\nStay %d began at %s, by %s%s.", user, bucket, s.EntryCount, x.moment(s.EnteredAt), sources[s.Source], enteredAs(s))
	default:
		return fmt.Sprintf("%s is not in %s.\nStay %d began at %s, and ended at %s, because %s.", user, bucket, s.EntryCount,
			x.moment(s.EnteredAt), x.moment(s.LeftAt), reasons[s.Reason])
	}
}

// enteredAs says by which id a stay began, if the user goes by another now.
func enteredAs(s *bucketgen.Stay) string {
	if s.EnteredAs == nil {
		return ""
	}
	return ", as " + printable.Text(resolve.Text(resolve.Name(s.EnteredAs.Kind, s.EnteredAs.Value)))
}

// sources and reasons say in words what transitions come from.
var (
	sources = map[bucketgen.Source]string{
		bucketgen.SourceEvent: "an event or trait of the user", bucketgen.SourceClock: "the clock", bucketgen.SourceReconcile: "a repair or a restore of the user",
		bucketgen.SourceBackfill: "a deployment of the definition", bucketgen.SourceManual: "an API call",
	}
	reasons = map[bucketgen.Reason]string{
		bucketgen.ReasonCriteria: "the criteria failed", bucketgen.ReasonMaxDwell: "the maximum dwell ended",
		bucketgen.ReasonManual: "an API call removed the user", bucketgen.ReasonRetired: "the bucket was retired",
		bucketgen.ReasonExpired: "no event of the visitor arrived within the time that visitors are kept", bucketgen.ReasonMerged: "the user was merged into one who is in it, too",
	}
)

// draw draws a condition as a tree: prefix goes before its own line, indent before those that
// belong to it.
func draw(b *strings.Builder, c *bucketgen.Condition, prefix, indent string) {
	mark := "✗"
	if c.Holds {
		mark = "✓"
	}
	fmt.Fprintf(b, "%s%s %s\n", prefix, mark, c.Words)
	if c.Evidence != nil {
		fmt.Fprintf(b, "%s    %s\n", indent, printable.Text(c.Evidence.Text))
	}
	for i := range c.Parts {
		if i < len(c.Parts)-1 {
			draw(b, &c.Parts[i], indent+"├─ ", indent+"│  ")
		} else {
			draw(b, &c.Parts[i], indent+"└─ ", indent+"   ")
		}
	}
}

// policyEffect returns the effect of the policy in words.
func (x *explanation) policyEffect() []string {
	var all []string
	add := func(applies bool, format string, args ...any) {
		if applies {
			all = append(all, "now: "+fmt.Sprintf(format, args...))
		}
	}
	s := &x.PolicyEffect
	add(!s.StaysUntil.IsZero(), "the user stays until %s at least", x.moment(s.StaysUntil))
	add(!s.LeavesBy.IsZero(), "the user leaves by %s", x.moment(s.LeavesBy))
	add(s.Blocked, "the user left at the maximum dwell: until the criteria fails, only an event or trait of the user lets them join again")
	add(s.Unannounced && s.AnnouncedFrom.IsZero(), "another join of the user is not announced")
	add(s.Unannounced && !s.AnnouncedFrom.IsZero(), "a join of the user is announced from %s on", x.moment(s.AnnouncedFrom))
	return all
}

// next returns what happens next, a line for each.
func (x *explanation) next() []string {
	if x.Paused {
		return []string{"nothing, while the bucket is paused"}
	}
	if x.Other {
		return []string{"nothing, until this definition is deployed"}
	}
	var all []string
	for i := range x.Next {
		t := &x.Next[i]
		all = append(all, fmt.Sprintf("%s at %s", effect(t), x.moment(t.At)))
	}
	switch {
	case x.NothingUntil.Equal(table.Latest.Time()):
		all = append(all, "nothing else before the year 10000")
	case !x.NothingUntil.IsZero():
		all = append(all, fmt.Sprintf("nothing else before %s; the forecast ends there", x.moment(x.NothingUntil)))
	case len(all) == 0:
		all = append(all, "nothing, however much time passes")
	case x.Next[len(x.Next)-1].Kind == bucketgen.Dwell:
		all = append(all, "stays after that, however much time passes")
	}
	return all
}

// effect returns what a transition does, in words.
func effect(t *bucketgen.Transition) string {
	switch {
	case t.Kind == bucketgen.Entered && t.Suppressed:
		return "joins, unannounced,"
	case t.Kind == bucketgen.Entered:
		return "joins"
	case t.Kind == bucketgen.Dwell:
		return "ticks, " + tick(t) + ","
	default:
		return "leaves, because " + endings[t.Reason] + ","
	}
}

// tick returns which tick it is, in words.
func tick(t *bucketgen.Transition) string {
	kind, span, _ := strings.Cut(t.Tick, "-")
	if kind == "every" {
		return fmt.Sprintf("number %d of every %s", t.DwellCount, span)
	}
	return "once, " + span + " into the stay"
}

// endings say in words why the clock makes a user leave.
var endings = map[bucketgen.Reason]string{bucketgen.ReasonCriteria: "the criteria fails", bucketgen.ReasonMaxDwell: "the maximum dwell ends"}

func (x *explanation) moment(t time.Time) string {
	return fmt.Sprintf("%s (%s)", stamp(t), words.Relative(table.At(t), table.At(x.At)))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
