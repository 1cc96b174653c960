package decide

import (
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Clock applies what is due up to and including the clock's time.
func (s *Session) Clock(clock table.Instant) Result {
	return s.step(func() {
		if s.advance(clock) {
			s.settle(s.now)
		}
	})
}

// CatchUp applies the changes of definitions in [Options], and what is due before the clock's time.
func (s *Session) CatchUp(clock table.Instant) Result {
	return s.step(func() { s.advance(clock) })
}

// Add puts the user into a manual bucket; a member stays a member. It is refused for a deleted
// user, for a paused bucket, and for an anonymous contact that the bucket excludes.
func (s *Session) Add(b table.BucketIndex, clock table.Instant) Result {
	if refusal, refused := s.refuses(b); refused {
		return refusal
	}
	if s.excludes(b) {
		return Result{Excluded: true}
	}
	return s.step(func() {
		if !s.advance(clock) {
			return
		}
		s.startExpiry()
		if s.state.Contact.New {
			s.state.Contact.New = false
			newcomer := table.Change{Event: table.NoEvent, Newcomer: true}
			s.round(s.registry.Candidates(nil, newcomer, s.state.Facts, s.memberships()), s.now, byAdmin())
		}
		if s.active(b) == nil {
			before, c := len(s.changes.Transitions), byAdmin()
			s.join(b, s.now, &c)
			s.cascade(b, before)
		}
	})
}

// Remove takes the user out of a manual bucket, whatever its min dwell. It is refused for a deleted
// user and for a paused bucket.
func (s *Session) Remove(b table.BucketIndex, clock table.Instant) Result {
	if refusal, refused := s.refuses(b); refused {
		return refusal
	}
	return s.step(func() {
		if !s.advance(clock) {
			return
		}
		if stay := s.active(b); stay != nil {
			before, c := len(s.changes.Transitions), byAdmin()
			s.leave(stay, s.now, &c, bucketgen.ReasonManual)
			s.cascade(b, before)
		}
	})
}

// Retire ends the user's stay in a bucket that was removed from the definitions for good.
func (s *Session) Retire(b table.BucketIndex, clock table.Instant) Result {
	return s.step(func() {
		there := s.advance(clock)
		if stay := s.active(b); there && stay != nil && !s.state.Contact.Deleted {
			c := byAdmin()
			s.leave(stay, s.now, &c, bucketgen.ReasonRetired)
		}
	})
}

// refuses returns the result of a manual change that is refused, and whether it is.
func (s *Session) refuses(b table.BucketIndex) (Result, bool) {
	r := Result{Deleted: s.state.Contact.Deleted, Paused: s.isFrozen(b)}
	return r, r.Deleted || r.Paused
}

// cascade schedules a manual bucket that changed, and evaluates the buckets that ask about those in
// the transitions from a position on.
func (s *Session) cascade(b table.BucketIndex, from int) {
	e := s.evaluation(b, s.now, false)
	s.schedule(&e, s.now)
	s.round(sorted(s.dependents(from)), s.now, byAdmin())
}

// Delete hides the user: nothing is evaluated or emitted for them any more, and their clock stops.
func (s *Session) Delete(clock table.Instant) Result {
	return s.step(func() {
		if !s.advance(clock) {
			return
		}
		s.setDeleted(true)
		for i := range s.state.Due {
			if d := &s.state.Due[i]; d.Bucket != Whole {
				d.At = table.Never
			}
		}
		s.settled = table.Never // so every stored due instant is removed
	})
}

// Restore undoes Delete. The user joins and leaves now what they would have joined and left
// meanwhile.
func (s *Session) Restore(clock table.Instant) Result {
	return s.step(func() {
		if s.advance(clock) && s.state.Contact.Deleted {
			s.setDeleted(false)
			s.startExpiry()
			s.rederive()
		}
	})
}

// Reconcile evaluates every bucket for the user and repairs memberships and due instants that
// differ.
func (s *Session) Reconcile(clock table.Instant) Result {
	repaired := 0
	result := s.step(func() {
		if s.advance(clock) {
			s.settle(s.now)
		}
		if s.isGone() {
			return
		}
		before, due := len(s.changes.Transitions), slices.Clone(s.state.Due)
		s.startExpiry()
		s.rederive()
		repaired = len(s.changes.Transitions) - before
		for _, d := range s.state.Due { // a due instant that is too early is right
			i := slices.IndexFunc(due, func(was Due) bool { return was.Bucket == d.Bucket })
			if d.At != table.Never && (i < 0 || d.At < due[i].At) {
				repaired++
			}
		}
	})
	result.Repaired = repaired
	return result
}

func (s *Session) rederive() {
	s.round(s.all(), s.now, byReconcile())
}

// all returns all buckets.
func (s *Session) all() []table.BucketIndex {
	all := make([]table.BucketIndex, len(s.registry.Buckets))
	for i := range all {
		all[i] = table.BucketIndex(i)
	}
	return all
}

func (s *Session) setDeleted(deleted bool) {
	if s.state.Contact.Deleted != deleted {
		s.state.Contact.Deleted = deleted
		s.contactChange().Deleted = &s.state.Contact.Deleted
	}
}
