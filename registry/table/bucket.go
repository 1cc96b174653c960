package table

import "time"

// BucketIndex is the place of a bucket in its registry. Like those of events and properties it means nothing outside the
// process: the order of a registry changes with every bucket that is added.
type BucketIndex int32

// EventIndex is the place of an event in its registry.
type EventIndex int32

// PropertyIndex is the place of a property in its registry.
type PropertyIndex int32

// NoEvent is the place of an event that no criteria asks about.
const NoEvent EventIndex = -1

// Kind says who decides over the membership of a bucket.
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

// Bucket is a row of the table of buckets: all that the engine needs to know of one.
type Bucket struct {
	ID          string
	Name        string
	Description string
	Fingerprint string // of all that changes membership
	Kind        Kind
	Disabled    bool

	EntryLimit     EntryLimit
	EntryPeriod    time.Duration
	MinDwell       time.Duration
	MaxDwell       time.Duration
	Ticks          []Tick
	NoClockJoins   bool // the clock lets nobody join
	ReconcileEvery time.Duration
	FastExpiry     bool

	Events     []EventIndex    // that the criteria asks about, sorted
	Signals    []SignalIndex   // of those, sorted
	Properties []PropertyIndex // that the criteria asks about, sorted
	Criteria   []Node          // empty in a manual bucket

	// Level is 0 if the criteria asks about no other bucket, and otherwise one more than the highest level of those that
	// it asks about. Dependents are the buckets whose criteria ask about this one, sorted; their levels are higher.
	Level      int
	Dependents []BucketIndex

	CriteriaFunc func(*Facts) Verdict
}

// Tick is a dwell tick: once after, or every, Span in a stay. Its label is after-90m or every-30d.
type Tick struct {
	Label string
	Every bool
	Span  time.Duration
}

// Event is a row of the table of events that criteria ask about.
type Event struct {
	Name    string
	Signals []SignalIndex // that are about it, sorted
}

// Property is a row of the table of properties that are declared. What lies inside of a property that is an object has
// rows of its own, with the path to it; they follow the row of the property.
type Property struct {
	Name       string
	Path       []string  // empty: the property itself
	Type       ValueKind // Missing if none is declared
	TraitsOnly bool      // payloads of events do not set it
	History    bool      // some criteria asks for its last change
}
