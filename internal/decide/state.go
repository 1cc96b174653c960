package decide

import (
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry/table"
)

// State is what is known of one user. A session reads and changes it; afterwards the state is that
// of the user once the changes are written. It belongs to one session at a time.
type State struct {
	Contact Contact
	Facts   *table.Facts

	// Stays holds the latest stay of the user in each bucket, in no order. All active and blocked
	// stays must be there. Others may be missing, unless AllStays or Complete is set.
	Stays    []Stay
	AllStays bool

	// Due holds the instants at which the clock evaluates a bucket again, in no order, and the one
	// at which an anonymous contact may expire: see [Whole].
	Due []Due

	// LastEvent is when the last event of an anonymous contact arrived, if that is known; Unset if
	// there was none.
	LastEvent      table.Instant
	LastEventKnown bool

	// Seen holds those idempotency keys of the session's events that the user has used before.
	Seen []string

	// Changes holds the last changes of declared properties, by name, as far as they were loaded.
	Changes map[string]PropertyChange

	// Complete means that Stays, Facts and Changes hold everything there is.
	Complete bool
}

// Contact is the user.
type Contact struct {
	Email      string
	Properties payload.Properties
	UpdatedAt  table.Instant // last change of the contact
	DecidedAt  table.Instant // last decision about the user, if the contact keeps it; else Unset

	// WrittenAt is not before the newest date of a value of a declared property. A value with that
	// date or a later one is not late.
	WrittenAt table.Instant
	Repeats   []Repeat // in no order, one per property; replaced, never changed in place

	Life    int  // 2 or more: the user was erased before, and came back; keys of transitions have it
	New     bool // no decision about the user was ever made
	Visitor bool // only anonymous ids are known: buckets that exclude those are not evaluated
	Deleted bool
}

// Stay is one stay of the user in a bucket. EntryCount 0 means that there never was one.
type Stay struct {
	Bucket     table.BucketIndex
	EntryCount int
	EnteredAt  table.Instant
	LeftAt     table.Instant    // Unset while active
	AnchorAt   table.Instant    // start of its ticks; Unset: EnteredAt
	TickedAt   table.Instant    // ticks up to here are done; Unset if none were due
	Blocked    bool             // ended by max dwell; the criteria have held since: only byEvent joins
	Source     bucketgen.Source // source of the join
	Reason     bucketgen.Reason // reason of the leave

	changed changeFlags
}

// Active reports whether the user is in the bucket by this stay.
func (s *Stay) Active() bool { return s.EntryCount > 0 && s.LeftAt == table.Unset }

// anchor returns the instant from which the ticks of the stay count.
func (s *Stay) anchor() table.Instant {
	if s.AnchorAt != table.Unset {
		return s.AnchorAt
	}
	return s.EnteredAt
}

// changeFlags are what a session did to a stay.
type changeFlags uint8

const (
	untouched changeFlags = 0
	opened    changeFlags = 1 << iota
	closed
	amended // ticked, or no longer blocked
)

// Due is an instant at which the clock evaluates a bucket.
type Due struct {
	Bucket table.BucketIndex
	At     table.Instant

	stored table.Instant // instant in the database, or Never; it may be earlier than At, never later
	stale  bool          // the stored instant belongs to another definition
}

// past returns the latest instant in the state that has passed, or Unset. The user's time is never
// before it, whatever the clock of the process says.
func (st *State) past() table.Instant {
	latest := max(st.Facts.Newest(), st.Contact.UpdatedAt, st.Contact.DecidedAt)
	for i := range st.Stays {
		if s := &st.Stays[i]; s.EntryCount > 0 {
			latest = max(latest, s.EnteredAt, s.LeftAt)
		}
	}
	return latest
}

// latest returns the latest stay of the user in the bucket, or nil if there is none, and whether
// that is known.
func (st *State) latest(b table.BucketIndex) (stay *Stay, known bool) {
	stay = st.stay(b)
	return stay, stay != nil || st.AllStays || st.Complete
}

// stay returns the latest stay of the user in the bucket, or nil if none is loaded. All active and
// blocked stays are.
func (st *State) stay(b table.BucketIndex) *Stay {
	if i := st.position(b); i != none {
		return &st.Stays[i]
	}
	return nil
}

// position returns the position of the latest stay in the bucket in Stays, or none.
func (st *State) position(b table.BucketIndex) int {
	for i := range st.Stays {
		if st.Stays[i].Bucket == b {
			return i
		}
	}
	return none
}

// AppendStored appends the due instants that are in the database once the session's changes are
// written.
func (st *State) AppendStored(to []Due) []Due {
	for i := range st.Due {
		if d := &st.Due[i]; d.stored != table.Never {
			to = append(to, Due{Bucket: d.Bucket, At: d.stored})
		}
	}
	return to
}

func (st *State) seen(key string) bool { return slices.Contains(st.Seen, key) }
