package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/internal/words"
)

// String returns the explanation as people read it: over several lines, with the criteria drawn as a tree.
func (x Explanation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nas of %s\n", x.membership(), stamp(x.At))
	if x.Criteria != nil {
		b.WriteString("\nCriteria:\n")
		x.Criteria.draw(&b, "  ", "  ")
	}
	b.WriteString("\nPolicy:\n")
	for _, line := range append(x.Policy, x.standing()...) {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	b.WriteString("\nNext, unless something else happens before:\n")
	for _, line := range x.next() {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	return b.String()
}

func (x *Explanation) membership() string {
	bucket := x.BucketID
	if x.BucketName != x.BucketID {
		bucket = fmt.Sprintf("%s (%s)", x.BucketID, x.BucketName)
	}
	switch s := x.Stay; {
	case s == nil:
		return fmt.Sprintf("%s has never been in %s", x.UserID, bucket)
	case x.Member:
		return fmt.Sprintf("%s is in %s since %s, by stay %d, which began by %s", x.UserID, bucket, x.moment(s.EnteredAt), s.EntryCount, sources[s.Source])
	default:
		return fmt.Sprintf("%s is not in %s; stay %d, from %s to %s, ended because %s", x.UserID, bucket, s.EntryCount,
			x.moment(s.EnteredAt), x.moment(s.LeftAt), reasons[s.Reason])
	}
}

// sources and reasons are what transitions come from, in words.
var (
	sources = map[Source]string{
		SourceEvent: "an event or trait of theirs", SourceClock: "the clock", SourceReconcile: "a repair or restoration",
		SourceBackfill: "the deployment of the definition", SourceManual: "a program's call",
	}
	reasons = map[Reason]string{
		ReasonCriteria: "the criteria failed", ReasonMaxDwell: "the maximal dwell was over",
		ReasonManual: "a program removed them", ReasonRetired: "the bucket was retired",
	}
)

// draw draws a condition as a tree: prefix goes before its own line, indent before those that belong to it.
func (c *Condition) draw(b *strings.Builder, prefix, indent string) {
	mark := "✗"
	if c.Holds {
		mark = "✓"
	}
	fmt.Fprintf(b, "%s%s %s\n", prefix, mark, c.Words)
	if c.Evidence != nil {
		fmt.Fprintf(b, "%s    %s\n", indent, c.Evidence.Text)
	}
	for i := range c.Parts {
		if i < len(c.Parts)-1 {
			c.Parts[i].draw(b, indent+"├─ ", indent+"│  ")
		} else {
			c.Parts[i].draw(b, indent+"└─ ", indent+"   ")
		}
	}
}

// standing says what the policy comes to.
func (x *Explanation) standing() []string {
	var all []string
	add := func(applies bool, format string, args ...any) {
		if applies {
			all = append(all, "- "+fmt.Sprintf(format, args...))
		}
	}
	s := &x.Standing
	add(!s.StaysUntil.IsZero(), "the user stays until %s at least", x.moment(s.StaysUntil))
	add(!s.LeavesBy.IsZero(), "the user leaves at %s at the latest", x.moment(s.LeavesBy))
	add(s.Blocked, "the user left by the maximal dwell: until the criteria fails, only an event or trait of theirs lets them join again")
	add(s.Unannounced && s.AnnouncedFrom.IsZero(), "another join of the user is not announced")
	add(s.Unannounced && !s.AnnouncedFrom.IsZero(), "a join of the user is announced from %s on", x.moment(s.AnnouncedFrom))
	return all
}

// next says what happens next.
func (x *Explanation) next() []string {
	if x.Paused {
		return []string{"nothing, while the bucket is paused"}
	}
	var all []string
	for i := range x.Next {
		t := &x.Next[i]
		all = append(all, fmt.Sprintf("%s %s", deed(t), x.moment(t.At)))
	}
	switch {
	case !x.NothingUntil.IsZero():
		all = append(all, fmt.Sprintf("nothing else before %s; what comes then takes too long to find out", x.moment(x.NothingUntil)))
	case len(all) == 0:
		all = append(all, "nothing, however much time passes")
	}
	return all
}

func deed(t *Transition) string {
	switch {
	case t.Kind == Entered && t.Suppressed:
		return "joins, unannounced, at"
	case t.Kind == Entered:
		return "joins at"
	case t.Kind == Dwell:
		return fmt.Sprintf("ticks %s, number %d, at", t.Tick, t.DwellCount)
	default:
		return "leaves, because " + endings[t.Reason] + ", at"
	}
}

// endings are the reasons for which the clock lets a user leave, in words.
var endings = map[Reason]string{ReasonCriteria: "the criteria fails", ReasonMaxDwell: "the maximal dwell is over"}

func (x *Explanation) moment(t time.Time) string {
	return fmt.Sprintf("%s (%s)", stamp(t), words.Relative(t.Sub(x.At)))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
