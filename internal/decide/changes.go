package decide

import (
	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Changes is what a session decided: what to write about the user, without what is already stored.
// Its slices are valid until the session begins again.
type Changes struct {
	Now      table.Instant // the user's time
	Replayed bool          // see Options

	Contact     *ContactChange
	Events      []Logged
	Occurrences []table.Occurrence // those that are stored, in the order of arrival
	Sums        []table.SumChange
	Advances    []table.Advance // those that are stored, in the order of arrival
	Progress    []table.ProgressChange
	Stays       []StayChange
	Transitions []Transition // in the order in which they happened
	Due         []DueChange

	// Ended says that the contact, which was anonymous, has expired at an instant. Then there is
	// nothing in Due.
	Ended   bool
	EndedAt table.Instant

	Candidates  int // buckets found for events
	Evaluations int // evaluations of criteria
}

// emptied returns empty changes that reuse the memory of c.
func (c *Changes) emptied() Changes {
	return Changes{
		Events: c.Events[:0], Occurrences: c.Occurrences[:0], Stays: c.Stays[:0], Transitions: c.Transitions[:0], Due: c.Due[:0],
	}
}

// Changed reports whether anything changed that criteria can ask about.
func (c *Changes) Changed() bool {
	return c.Contact != nil || len(c.Events) > 0 || len(c.Stays) > 0
}

// Nothing reports whether there is nothing to write.
func (c *Changes) Nothing() bool {
	return c.Contact == nil && len(c.Events)+len(c.Occurrences)+len(c.Sums)+len(c.Advances)+len(c.Progress)+len(c.Stays)+len(c.Transitions)+len(c.Due) == 0 && !c.Ended
}

// ContactChange is what changes about the contact itself.
type ContactChange struct {
	Set     []payload.Field
	Remove  []string
	Changes []ChangedProperty // one per property
	Repeats []Repeat          // dates of repeated values, one per property; Unset removes it
	Email   *string
	Deleted *bool
	At      table.Instant

	WrittenAt table.Instant // see Contact
}

// ChangedProperty is a declared property with its last change.
type ChangedProperty struct {
	PropertyChange

	Property string
}

// setChange stores the last change of a property. An event changes few, so a list is cheaper than a
// map.
func (c *ContactChange) setChange(property string, last PropertyChange) {
	for i := range c.Changes {
		if c.Changes[i].Property == property {
			c.Changes[i].PropertyChange = last
			return
		}
	}
	c.Changes = append(c.Changes, ChangedProperty{last, property})
}

// setRepeat stores the date of a repetition, or Unset to remove it.
func (c *ContactChange) setRepeat(property string, at table.Instant) {
	for i := range c.Repeats {
		if c.Repeats[i].Property == property {
			c.Repeats[i].At = at
			return
		}
	}
	c.Repeats = append(c.Repeats, Repeat{property, at})
}

// Patches reports whether properties of the contact or their dates change.
func (c *ContactChange) Patches() bool {
	return len(c.Set)+len(c.Remove)+len(c.Changes)+len(c.Repeats) > 0
}

// Logged is an event as the log stores it.
type Logged struct {
	Event
	ReceivedAt table.Instant
}

// StayChange is a stay to store. Opened and Closed say what happened to it; if both are false, it
// ticked or is no longer blocked. Stays in one bucket come in the order of their numbers.
type StayChange struct {
	Stay
	Opened bool
	Closed bool
}

// DueChange is a due instant to store, or to remove if At is Never.
type DueChange struct {
	Bucket table.BucketIndex
	At     table.Instant
}

// Transition is a change of membership, or a tick of one.
type Transition struct {
	Bucket     table.BucketIndex
	Kind       bucketgen.Kind
	EntryCount int
	At         table.Instant // instant at which it became true
	DecidedAt  table.Instant // the user's time when it was decided
	Source     bucketgen.Source
	Reason     bucketgen.Reason // of a leave
	Suppressed bool             // it happened, but is not announced
	Tick       string           // the label of a tick
	DwellCount int              // the number of a tick
	Life       int              // of the user, see Contact
}

// Changes returns what the session decided. It ends the session; see [Changes] for how long it is
// valid.
func (s *Session) Changes() Changes {
	s.changes.Stays = append(s.changes.Stays, s.finished...)
	for i := range s.state.Stays {
		if stay := &s.state.Stays[i]; stay.changed != untouched {
			s.changes.Stays = append(s.changes.Stays, changeOf(stay))
		}
	}
	for i := range s.state.Due {
		d := &s.state.Due[i]
		if s.changes.Ended {
			break // nothing is due any more
		}
		// A due instant is a hint. One that is too early costs an evaluation, so it is not written
		// again until then; one that was settled is replaced.
		if done := d.stored <= s.settled && !s.isFrozen(d.Bucket); done || d.stale || d.At < d.stored {
			if d.At != d.stored {
				s.changes.Due = append(s.changes.Due, DueChange{d.Bucket, d.At})
				d.stored = d.At
			}
		}
	}
	for _, key := range s.touched.all {
		if f := s.state.Contact.Properties.Get(key); f.Value.Exists() {
			s.contact.Set = append(s.contact.Set, f)
		} else {
			s.contact.Remove = append(s.contact.Remove, key)
		}
	}
	s.changes.Contact, s.changes.Now, s.changes.Replayed = s.contact, s.now, s.replayed
	s.changes.Sums = s.state.Facts.SumChanges()
	s.changes.Progress = s.state.Facts.ProgressChanges()
	return s.changes
}

func changeOf(stay *Stay) StayChange {
	return StayChange{Stay: *stay, Opened: stay.changed&opened != 0, Closed: stay.changed&closed != 0}
}
