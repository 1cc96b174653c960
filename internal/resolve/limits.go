package resolve

import (
	"time"

	"github.com/bucketgen/bucketgen/registry/table"
)

// Limits say how many ids of each kind a contact may have. The zero value takes the defaults.
type Limits struct {
	// Anonymous is how many anonymous ids a contact keeps. The one that was seen longest ago is
	// detached for a further one. Defaults to 100.
	Anonymous int

	// Emails is how many e-mail addresses a contact may have. Defaults to 5.
	Emails int

	// Declared are the kinds that a program declares, with how many of each a contact may have.
	Declared map[string]int
}

// The defaults of Limits.
const (
	DefaultAnonymous = 100
	DefaultEmails    = 5
)

// MaxAutomatic is how many contacts may become one within AutomaticSpan by the ids of events. More
// of them are the sign of an id that many people send.
const (
	MaxAutomatic  = 100
	AutomaticSpan = 24 * time.Hour
)

// Most returns how many ids of a kind a contact may have. An event with a further one leaves that
// as it is, but for an anonymous id: see [Limits.Anonymous].
func (l *Limits) Most(kind string) int {
	switch kind {
	case Anonymous:
		return orDefault(l.Anonymous, DefaultAnonymous)
	case Email:
		return orDefault(l.Emails, DefaultEmails)
	default:
		return orDefault(l.Declared[kind], 1)
	}
}

func orDefault(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// Day returns the beginning of the day of an instant, in UTC: ids are seen by the day, so that not
// every event has to note it.
func Day(at table.Instant) table.Instant {
	const day = table.Instant(24 * time.Hour / time.Microsecond)
	return at - (at%day+day)%day
}
