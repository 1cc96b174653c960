package table

import "time"

// BucketIndex is the position of a bucket in its registry. Like the positions of events and
// properties it means nothing outside the process, because the order of a registry changes with
// every added bucket.
type BucketIndex int32

// EventIndex is the position of an event in its registry.
type EventIndex int32

// PropertyIndex is the position of a property in its registry.
type PropertyIndex int32

// NoEvent is the position of an event that no criteria asks about.
const NoEvent EventIndex = -1

// Kind says what decides the membership of a bucket.
type Kind uint8

// The kinds of buckets: dynamic ones follow their criteria, manual ones the calls of a program.
const (
	Dynamic Kind = iota
	Manual
)

// EntryLimit says which joins are announced.
type EntryLimit uint8

// The entry limits.
const (
	Unlimited EntryLimit = iota
	Once
	OncePerPeriod
)

// Bucket is a row of the table of buckets: everything that the engine knows of one.
type Bucket struct {
	ID          string
	Name        string
	Description string
	Fingerprint string // of everything that changes membership or what is announced
	Kind        Kind
	Disabled    bool
	Anonymous   bool // anonymous contacts may be members

	EntryLimit     EntryLimit
	EntryPeriod    time.Duration
	MinDwell       time.Duration
	MaxDwell       time.Duration
	Ticks          []Tick
	NoClockJoins   bool // the clock makes no user join
	ReconcileEvery time.Duration
	FastExpiry     bool

	Events     []EventIndex    // that the criteria asks about, sorted
	Signals    []SignalIndex   // of those, sorted
	Properties []PropertyIndex // that the criteria asks about, sorted
	Criteria   []Node          // empty in a manual bucket

	// Level is 0 if the criteria asks about no other bucket, and otherwise one more than the
	// highest level of the buckets that it asks about. Dependents are the buckets whose criteria
	// ask about this one, sorted; their levels are higher.
	Level      int
	Dependents []BucketIndex

	CriteriaFunc func(*Facts) Verdict
}

// Tick is a dwell tick: once after Span, or every Span, in a stay. Label is for example after-90m
// or every-30d.
type Tick struct {
	Label string
	Every bool
	Span  time.Duration
}

// Event is a row of the table of events that criteria ask about.
type Event struct {
	Name    string
	Signals []SignalIndex // about the event, sorted
}

// Property is a row of the table of declared properties. The properties inside an object have rows
// of their own, with their path; these rows follow the row of the object.
type Property struct {
	Name       string
	Path       []string  // empty for the property itself
	Type       ValueKind // Missing if none is declared
	TraitsOnly bool      // payloads of events do not set it
	History    bool      // some criteria asks for the last change
}
