package conformance

import (
	"slices"
	"strconv"
	"strings"
)

// Deviation is a rule in which this project deliberately differs from the peer. The list is closed:
// a difference that no rule explains is a failure.
type Deviation int

// The deviations, by the numbers under which the project knows them. Numbers 9, 12 to 15 and 19
// stand for several small rules each; which of them it is, the places say where they are found.
const (
	ExactClock    Deviation = 1  // what time changes happens at its instant, between steps too, and users join by it
	HalfOpen      Deviation = 2  // a window does not contain the instant at which it begins
	Rules         Deviation = 3  // other definitions are accepted
	Newcomers     Deviation = 4  // a new user is in buckets that ask about something else than what they came with
	Payload       Deviation = 5  // what a payload says of a declared property is seen and stored
	Duplicates    Deviation = 6  // a duplicate changes nothing, traits neither
	Reserved      Deviation = 7  // names and keys that begin "bucket:" are refused
	TraitUpdates  Deviation = 8  // a trait update is evaluated at once
	TickKeys      Deviation = 9  // ticks come in every stay
	Deferrals     Deviation = 10 // a leave that minDwell deferred is completed, and timers of members who expire are started again
	NoBackfill    Deviation = 11 // neither the clock nor new definitions wait for a backfill
	Order         Deviation = 12 // within an instant: leaves, joins, and each by id
	Identities    Deviation = 13 // stays go on under a new name; kinds of ids are not mixed; ids are shared, blocked
	Future        Deviation = 14 // events of the future are refused, or count from now
	NothingIsLost Deviation = 15 // failed pushes lose nothing, keys are per user, the deleted stand still
	DeployInstant Deviation = 16 // a deployment takes effect at its instant, and not when a job gets to a user
	ClockDefers   Deviation = 17 // minDwell defers a leave by a timer or by the reconciliation, too
	BlankNames    Deviation = 18 // an event whose name is blank is refused
	PushApart     Deviation = 19 // a push that fails neither fails an ingest nor frees its key
)

var deviationNames = map[Deviation]string{
	ExactClock: "clock", HalfOpen: "half-open window", Rules: "definition rules", Newcomers: "newcomers",
	Payload: "payload of declared properties", Duplicates: "duplicates change nothing", Reserved: "bucket: is refused",
	TraitUpdates: "trait updates are evaluated", TickKeys: "ticks of every stay", Deferrals: "deferred leaves complete",
	NoBackfill: "no wait for a backfill", Order: "order at one instant", Identities: "stays under a new name; shared and blocked ids",
	Future:        "future events",
	NothingIsLost: "nothing is lost", DeployInstant: "instant of a deployment", ClockDefers: "minDwell defers timers and reconciles",
	BlankNames: "blank event names", PushApart: "failed pushes fail no ingest",
}

// String returns the deviation in a few words.
func (d Deviation) String() string { return deviationNames[d] }

// deviations is a set of them.
type deviations map[Deviation]bool

func (s deviations) add(all ...Deviation) {
	for _, d := range all {
		s[d] = true
	}
}

func (s deviations) sorted() []Deviation {
	var all []Deviation
	for d := range s {
		all = append(all, d)
	}
	slices.Sort(all)
	return all
}

// String returns the set like "1,2 (clock; half-open window)".
func (s deviations) String() string {
	var numbers, names []string
	for _, d := range s.sorted() {
		numbers = append(numbers, strconv.Itoa(int(d)))
		names = append(names, d.String())
	}
	return strings.Join(numbers, ",") + " (" + strings.Join(names, "; ") + ")"
}
