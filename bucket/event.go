package bucket

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// EventName names something that users do. It is not a criteria yet: ask whether or how often it
// occurred, ever or within a window, or compare a number computed from its payloads.
//
// An event counts from the instant at which it occurred, and the event being ingested counts, too.
type EventName struct{ Occurrences }

// Event declares an event by the name under which it is ingested. Names beginning "bucket:" belong
// to transitions and cannot be used. What its payload may hold is declared by the methods Text,
// Number, Bool, Time and List.
//
// The generated package has a type for the event with those fields, by which a program ingests it:
// PurchaseEvent for a variable Purchase.
func Event(name string) EventName {
	return EventName{Occurrences{check: ir.EventCheck{Name: name}}}
}

// Name returns the name under which the event is ingested.
func (e EventName) Name() string { return e.check.Name }

// Occurrences are all occurrences of an event, or some of them: those whose payload passes filters,
// those within a window. They are not a criteria yet: ask whether they exist or how many there are,
// or compare a number computed from them.
//
// The answer is checked when the event arrives. Within a window it is also checked at the very
// instant at which the clock changes it.
type Occurrences struct {
	check    ir.EventCheck
	problems []string
}

// Where narrows the question to occurrences whose payload passes all of the filters. It needs at
// least one. Filters are checked once, when the event arrives.
func (o Occurrences) Where(filters ...Filter) Occurrences {
	if len(filters) == 0 {
		return o.problem("Where() filters nothing; drop it or write what the payload must be")
	}
	pos := callerOf(1)
	children := make([]*ir.Node, 0, len(filters)+1)
	if o.check.Filter != nil {
		children = append(children, o.check.Filter)
	}
	for _, f := range filters {
		if f.node == nil {
			f.node = &ir.Node{Pos: pos}
		}
		children = append(children, f.node)
	}
	o.check.Filter = children[0]
	if len(children) > 1 {
		o.check.Filter = &ir.Node{Op: ir.OpAll, Pos: pos, Children: children}
	}
	return o
}

// Within narrows the question to the window (now-d, now]: an event that occurred exactly d ago is
// no longer in it. The window moves with the clock, so criteria over it change without any event,
// at the exact instant at which an occurrence falls out. d must be positive.
func (o Occurrences) Within(d time.Duration) Occurrences { return o.window(ir.Window{Last: d}) }

// Between narrows the question to the time from one instant until another: [from, to). The clock
// does not change the answer.
func (o Occurrences) Between(from, to time.Time) Occurrences {
	from, to = from.UTC(), to.UTC()
	return o.window(ir.Window{From: &from, To: &to})
}

// Since narrows the question to the time from an instant on. The clock does not change the answer.
func (o Occurrences) Since(from time.Time) Occurrences {
	from = from.UTC()
	return o.window(ir.Window{From: &from})
}

// Before narrows the question to the time before an instant. The clock does not change the answer.
func (o Occurrences) Before(to time.Time) Occurrences {
	to = to.UTC()
	return o.window(ir.Window{To: &to})
}

// Today narrows the question to the present day in a zone like "Europe/Berlin". A day begins at its
// first instant there, also where clocks change at midnight. At that instant all earlier
// occurrences are yesterday's.
func (o Occurrences) Today(zone string) Occurrences {
	return o.window(ir.Window{Calendar: ir.Day, Zone: zone})
}

// ThisWeek narrows the question to the present week in a zone, which begins on Monday. See
// [Occurrences.Today].
func (o Occurrences) ThisWeek(zone string) Occurrences {
	return o.window(ir.Window{Calendar: ir.Week, Zone: zone})
}

// ThisMonth narrows the question to the present month in a zone. See [Occurrences.Today].
func (o Occurrences) ThisMonth(zone string) Occurrences {
	return o.window(ir.Window{Calendar: ir.Month, Zone: zone})
}

func (o Occurrences) window(w ir.Window) Occurrences {
	if o.check.Window != nil {
		return o.problem("there are two windows; occurrences count within one, combine two questions by All instead")
	}
	o.check.Window = &w
	return o
}

func (o Occurrences) problem(text string) Occurrences {
	o.problems = append(slices.Clip(o.problems), text)
	return o
}

// Exists holds while there is an occurrence. Checked when the event arrives and when the newest
// occurrence leaves the window.
func (o Occurrences) Exists() Criteria { return o.count(ir.Gte, 1) }

// Never holds while there is no occurrence, also for users without any facts: they count as absent
// since always. Checked when the event arrives and when the newest occurrence leaves the window.
func (o Occurrences) Never() Criteria { return o.count(ir.Lte, 0) }

// AtLeast holds while there are n occurrences or more. Checked when the event arrives and when the
// n-th newest occurrence leaves the window.
func (o Occurrences) AtLeast(n int) Criteria { return o.count(ir.Gte, n) }

// MoreThan holds while there are more than n occurrences. Checked when the event arrives and when
// newest occurrence number n+1 leaves the window.
func (o Occurrences) MoreThan(n int) Criteria { return o.count(ir.Gt, n) }

// AtMost holds while there are n occurrences or fewer, also for users without any facts. Checked
// when the event arrives and when newest occurrence number n+1 leaves the window.
func (o Occurrences) AtMost(n int) Criteria { return o.count(ir.Lte, n) }

// LessThan holds while there are fewer than n occurrences, also for users without any facts.
// Checked when the event arrives and when the n-th newest occurrence leaves the window.
func (o Occurrences) LessThan(n int) Criteria { return o.count(ir.Lt, n) }

// Exactly holds while there are exactly n occurrences. Checked when the event arrives and when
// newest occurrence n or n+1 leaves the window.
func (o Occurrences) Exactly(n int) Criteria { return o.count(ir.Eq, n) }

// FirstTimeWithin holds for d from the first occurrence ever: while that is in (now-d, now]. d must
// be positive. Checked when the event arrives and d after the first occurrence.
func (o Occurrences) FirstTimeWithin(d time.Duration) Criteria {
	if o.check.Window != nil {
		o = o.problem("the first time ever is asked for within a window; drop the window")
	}
	o.check.Aggregate, o.check.Operator, o.check.Count, o.check.Window = ir.FirstTime, ir.Gte, 1, &ir.Window{Last: d}
	return o.criteria(callerOf(1))
}

func (o Occurrences) count(op ir.Operator, n int) Criteria {
	o.check.Operator, o.check.Count = op, n
	// Both comparisons are legal, and authors do not mean them: the answer does not depend on the
	// user.
	switch {
	case op == ir.Gte && n == 0:
		o = o.problem("AtLeast(0) holds for every user; drop it or write Exists()")
	case op == ir.Lt && n == 0:
		o = o.problem("LessThan(0) holds for no user; write Never()")
	}
	return o.criteria(callerOf(2))
}

func (o Occurrences) criteria(pos ir.Pos) Criteria {
	check := o.check
	node := &ir.Node{Op: ir.OpEvent, Pos: pos, Event: &check}
	if !utf8.ValidString(check.Name) { // JSON would change the name
		o = o.problem(fmt.Sprintf("the event name %q is not valid UTF-8, so no event has it", check.Name))
	}
	for _, text := range o.problems {
		node.Problems = append(node.Problems, ir.Problem{Pos: pos, Text: text})
	}
	return Criteria{node}
}
