package decide

import (
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Whole stands for the whole user among the buckets of due instants: at its instant an anonymous
// contact may expire. It comes before every bucket, so of what is due at one instant it is first.
const Whole table.BucketIndex = -1

// startExpiry sets when an anonymous contact expires, if nothing happens until then.
func (s *Session) startExpiry() {
	set := slices.ContainsFunc(s.state.Due, func(d Due) bool { return d.Bucket == Whole && d.At != table.Never })
	if s.state.Contact.Visitor && s.limits.AnonymousAge > 0 && !set {
		s.setDue(Whole, s.now.Add(s.limits.AnonymousAge))
	}
}

// postponeExpiry puts off when an anonymous contact expires, after an event of theirs.
func (s *Session) postponeExpiry() {
	if s.state.Contact.Visitor && s.limits.AnonymousAge > 0 {
		s.state.LastEvent, s.state.LastEventKnown = s.now, true
		s.setDue(Whole, s.now.Add(s.limits.AnonymousAge))
	}
}

// InheritLastEvent gives the survivor of a merge the last event of the loser, if it came later.
func (st *State) InheritLastEvent(from *State) {
	if from.LastEventKnown && (!st.LastEventKnown || from.LastEvent > st.LastEvent) {
		st.LastEvent, st.LastEventKnown = from.LastEvent, true
	}
}

// cancelExpiry removes the instant at which a user would expire who is no longer anonymous.
func (s *Session) cancelExpiry() {
	for i := range s.state.Due {
		if d := &s.state.Due[i]; d.Bucket == Whole && !s.state.Contact.Visitor {
			d.At, d.stale = table.Never, true
		}
	}
}

// end ends an anonymous contact at an instant that is due, unless an event came since the
// instant was stored. All stays end then, those in paused buckets too. Nothing happens to the
// contact afterwards.
func (s *Session) end(at table.Instant) {
	if !s.state.LastEventKnown && !s.state.Complete {
		s.lacks.LastEvent = true
	}
	s.setDue(Whole, table.Never)
	if s.limits.AnonymousAge <= 0 {
		return
	}
	if last := s.state.LastEvent; s.state.LastEventKnown && last != table.Unset && last.Add(s.limits.AnonymousAge) > at {
		s.setDue(Whole, last.Add(s.limits.AnonymousAge))
		return
	}
	s.changes.Ended, s.changes.EndedAt = true, at
	c := byClock(table.Unset)
	for _, b := range sorted(s.Members()) {
		if !s.state.Contact.Deleted {
			s.leave(s.active(b), at, &c, bucketgen.ReasonExpired)
		}
	}
	for i := range s.state.Due {
		s.state.Due[i].At = table.Never
	}
}
