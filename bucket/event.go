package bucket

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// EventName names something that users do. It is not a criteria yet: ask it whether or how often it occurred, ever or
// within a window that ends now.
//
// An event counts from the instant it is said to have occurred, and the event that is just being ingested counts too.
type EventName struct {
	name string
}

// Event declares an event by the name under which it is ingested. Names beginning "bucket:" belong to transitions and
// cannot be used.
func Event(name string) EventName {
	return EventName{name}
}

// Name returns the name under which the event is ingested.
func (e EventName) Name() string { return e.name }

// Within narrows the question to the window (now-d, now]: an event that occurred exactly d ago is no longer in it. The
// window moves with the clock, so criteria over it change without any event, at the exact instant at which an
// occurrence falls out. d must be positive.
func (e EventName) Within(d time.Duration) EventWindow {
	return EventWindow{e.name, &ir.Window{Last: d}}
}

// Exists holds once the event has occurred, and for ever after. Checked when the event arrives.
func (e EventName) Exists() Criteria { return count(e.name, nil, ir.Gte, 1) }

// Never holds as long as the event has not occurred, also for users of whom nothing is known. Checked when the event
// arrives.
func (e EventName) Never() Criteria { return count(e.name, nil, ir.Lte, 0) }

// AtLeast holds from the n-th occurrence on. Checked when the event arrives.
func (e EventName) AtLeast(n int) Criteria { return count(e.name, nil, ir.Gte, n) }

// MoreThan holds from occurrence n+1 on. Checked when the event arrives.
func (e EventName) MoreThan(n int) Criteria { return count(e.name, nil, ir.Gt, n) }

// AtMost holds until occurrence n+1, also for users of whom nothing is known. Checked when the event arrives.
func (e EventName) AtMost(n int) Criteria { return count(e.name, nil, ir.Lte, n) }

// LessThan holds until the n-th occurrence, also for users of whom nothing is known. Checked when the event arrives.
func (e EventName) LessThan(n int) Criteria { return count(e.name, nil, ir.Lt, n) }

// Exactly holds from the n-th occurrence until the next one. Checked when the event arrives.
func (e EventName) Exactly(n int) Criteria { return count(e.name, nil, ir.Eq, n) }

// EventWindow asks about the occurrences of an event within a window that ends now. [EventName.Within] makes one.
type EventWindow struct {
	name   string
	window *ir.Window
}

// Exists holds while the newest occurrence is in the window. Checked when the event arrives and when the newest
// occurrence falls out.
func (w EventWindow) Exists() Criteria { return count(w.name, w.window, ir.Gte, 1) }

// Never holds while no occurrence is in the window, also for users of whom nothing is known: they have been away for
// as long as can be told. Checked when the event arrives and when the newest occurrence falls out.
func (w EventWindow) Never() Criteria { return count(w.name, w.window, ir.Lte, 0) }

// AtLeast holds while n or more occurrences are in the window. Checked when the event arrives and when the n-th newest
// occurrence falls out.
func (w EventWindow) AtLeast(n int) Criteria { return count(w.name, w.window, ir.Gte, n) }

// MoreThan holds while more than n occurrences are in the window. Checked when the event arrives and when newest
// occurrence number n+1 falls out.
func (w EventWindow) MoreThan(n int) Criteria { return count(w.name, w.window, ir.Gt, n) }

// AtMost holds while n or fewer occurrences are in the window, also for users of whom nothing is known. Checked when
// the event arrives and when newest occurrence number n+1 falls out.
func (w EventWindow) AtMost(n int) Criteria { return count(w.name, w.window, ir.Lte, n) }

// LessThan holds while fewer than n occurrences are in the window, also for users of whom nothing is known. Checked
// when the event arrives and when the n-th newest occurrence falls out.
func (w EventWindow) LessThan(n int) Criteria { return count(w.name, w.window, ir.Lt, n) }

// Exactly holds while n occurrences are in the window, no more and no fewer. Checked when the event arrives and when
// newest occurrence n or n+1 falls out.
func (w EventWindow) Exactly(n int) Criteria { return count(w.name, w.window, ir.Eq, n) }

func count(name string, window *ir.Window, op ir.Operator, n int) Criteria {
	node := &ir.Node{
		Op:    ir.OpEvent,
		Pos:   callerOf(2),
		Event: &ir.EventCheck{Name: name, Operator: op, Count: n, Window: window},
	}
	if !utf8.ValidString(name) { // JSON would make it another name
		node.Problems = append(node.Problems, ir.Problem{Pos: node.Pos, Text: fmt.Sprintf("the event name %q is not valid UTF-8, so no event has it", name)})
	}
	// Those two are legal comparisons that no author means: the answer does not depend on the user.
	switch {
	case op == ir.Gte && n == 0:
		node.Problems = append(node.Problems, ir.Problem{Pos: node.Pos, Text: "AtLeast(0) holds for everybody; drop it or write Exists()"})
	case op == ir.Lt && n == 0:
		node.Problems = append(node.Problems, ir.Problem{Pos: node.Pos, Text: "LessThan(0) holds for nobody; write Never()"})
	}
	return Criteria{node}
}
