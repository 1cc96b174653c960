package table

import (
	"fmt"
	"time"
)

// Window says which occurrences count at an instant: those that are not later than now and still in
// the window. The zero value is all occurrences ever.
type Window struct {
	Span     time.Duration // (now-Span, now-Until]
	Until    time.Duration // zero unless the window ends some time ago
	Calendar Calendar      // the day, week or month that now is in
	Zone     string        // of the calendar
}

// Ever is the window of all occurrences.
var Ever = Window{}

// Within is the window (now-span, now].
func Within(span time.Duration) Window { return Window{Span: span} }

// end returns the instant at which an occurrence leaves the window.
func (w Window) end(at Instant) Instant {
	switch {
	case w.Calendar != NoCalendar:
		loc := location(w.Zone)
		if loc == nil {
			return Unset // nothing is in a window of an unknown zone
		}
		_, next := w.Calendar.period(dayOf(at, loc))
		return next.begin(loc)
	case w.Span != 0:
		return at.Add(w.Span)
	default:
		return Never
	}
}

// Name is the name of the window in the database.
func (w Window) Name() string {
	switch {
	case w == Ever:
		return "ever"
	case w.Calendar != NoCalendar:
		return fmt.Sprintf("%s in %s", [...]string{Day: "day", Week: "week", Month: "month"}[w.Calendar], w.Zone)
	default:
		return w.Span.String()
	}
}
