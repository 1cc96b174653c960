package decide

import (
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry"
)

// State is what is known of one user. A session changes it; it belongs to one session at a time.
type State struct {
	Contact Contact
	Facts   *registry.Facts

	// Stays holds the latest stay of the user in each bucket, in no order. Those that are active or blocked must all
	// be there. Of the others some may be missing, unless AllStays or Complete is set.
	Stays    []Stay
	AllStays bool

	// Due holds the instants at which the clock has to look at the user again, in no order.
	Due []Due

	// Seen are the idempotency keys that the user has used before, among those that the session will be given.
	Seen []string

	// Changes are the last changes of declared properties, by their names: of those that were loaded. A session changes it.
	Changes map[string]PropertyChange

	// Complete says that Stays, Facts and Changes hold everything there is.
	Complete bool
}

// Contact is the user.
type Contact struct {
	Email      string
	Properties payload.Properties
	UpdatedAt  registry.Instant // of anything in here
	DecidedAt  registry.Instant // up to which something decided about the user, where the contact keeps that; else Unset

	// WrittenAt is not before the newest date of a value of a declared property. No value of that date or a later one is late.
	WrittenAt registry.Instant
	Repeats   []Repeat // in no order, one of a property; they are not changed, but replaced

	New     bool // nothing was ever decided about the user
	Deleted bool
}

// Stay is one stay of the user in a bucket. With epoch 0 it says that there never was one.
type Stay struct {
	Bucket    registry.Index
	Epoch     int
	EnteredAt registry.Instant
	LeftAt    registry.Instant // Unset while active
	AnchorAt  registry.Instant // from which its ticks count; Unset: from EnteredAt
	TickedAt  registry.Instant // ticks up to here are done; Unset if none were due
	Blocked   bool             // left by MaxDwell, and the criteria has held ever since: no clock lets the user join
	Source    bucketgen.Source // of the join
	Reason    bucketgen.Reason // of the leave

	fate fate
}

// Active reports whether the user is in the bucket by this stay.
func (s *Stay) Active() bool { return s.Epoch > 0 && s.LeftAt == registry.Unset }

// anchor returns the instant from which the stay's ticks count.
func (s *Stay) anchor() registry.Instant {
	if s.AnchorAt != registry.Unset {
		return s.AnchorAt
	}
	return s.EnteredAt
}

// fate is what a session did to a stay.
type fate uint8

const (
	untouched fate = 0
	opened    fate = 1 << iota
	closed
	amended // ticked, or no longer blocked
)

// Due is an instant at which the clock has to look at a bucket.
type Due struct {
	Bucket registry.Index
	At     registry.Instant

	stored registry.Instant // as it is in the database, or Never; that may be earlier than At, but not later
	stale  bool             // what is stored is of another definition
}

// past returns the latest instant in the past that the state speaks of, or Unset. The user's time is at least that,
// whatever the clock of the process says.
func (st *State) past() registry.Instant {
	latest := max(st.Facts.Newest(), st.Contact.UpdatedAt, st.Contact.DecidedAt)
	for i := range st.Stays {
		if s := &st.Stays[i]; s.Epoch > 0 {
			latest = max(latest, s.EnteredAt, s.LeftAt)
		}
	}
	return latest
}

// stay returns the latest stay of the user in the bucket, if it is known.
func (st *State) stay(b registry.Index) *Stay {
	if i := st.place(b); i != none {
		return &st.Stays[i]
	}
	return nil
}

// place returns where the latest stay in the bucket is among all, or none.
func (st *State) place(b registry.Index) int {
	for i := range st.Stays {
		if st.Stays[i].Bucket == b {
			return i
		}
	}
	return none
}

// knows reports whether the latest stay of the user in the bucket is known, be it that there never was one.
func (st *State) knows(b registry.Index) bool {
	return st.AllStays || st.Complete || st.stay(b) != nil
}

// AppendStored appends the due instants as they are in the database once the changes of the session are written.
func (st *State) AppendStored(to []Due) []Due {
	for i := range st.Due {
		if d := &st.Due[i]; d.stored != registry.Never {
			to = append(to, Due{Bucket: d.Bucket, At: d.stored})
		}
	}
	return to
}

func (st *State) seen(key string) bool { return slices.Contains(st.Seen, key) }
