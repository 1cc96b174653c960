package decide

import (
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/registry"
)

// Clock lets time pass up to the clock's time, and does what is due then, too.
func (s *Session) Clock(clock registry.Instant) Result {
	return s.step(func() {
		s.advance(clock)
		s.settle(s.now)
	})
}

// CatchUp takes the user through changes of definitions and lets time pass up to the clock's time. What is due at that very
// instant is still to come.
func (s *Session) CatchUp(clock registry.Instant) Result {
	return s.step(func() { s.advance(clock) })
}

// Add puts the user into a manual bucket. A user who is in it stays in it. One who is deleted is left alone, and so is a
// bucket that is paused.
func (s *Session) Add(b registry.Index, clock registry.Instant) Result {
	if refusal, refused := s.refuses(b); refused {
		return refusal
	}
	return s.step(func() {
		s.advance(clock)
		if s.state.Contact.New {
			s.state.Contact.New = false
			s.round(s.registry.Candidates(nil, registry.Carried{Event: registry.NoEvent, Newcomer: true}, s.state.Facts, s.stands()),
				s.now, manually)
		}
		if s.active(b) == nil {
			before := len(s.changes.Transitions)
			s.join(b, s.now, manually)
			s.changed(b, before)
		}
	})
}

// Remove takes the user out of a manual bucket, whatever its minimal dwell. One who is deleted is left alone, and so is
// a bucket that is paused.
func (s *Session) Remove(b registry.Index, clock registry.Instant) Result {
	if refusal, refused := s.refuses(b); refused {
		return refusal
	}
	return s.step(func() {
		s.advance(clock)
		if stay := s.active(b); stay != nil {
			before := len(s.changes.Transitions)
			s.leave(stay, s.now, manually, bucketgen.ReasonManual)
			s.changed(b, before)
		}
	})
}

// Retire ends the user's stay in a bucket that is gone for good.
func (s *Session) Retire(b registry.Index, clock registry.Instant) Result {
	return s.step(func() {
		s.advance(clock)
		if stay := s.active(b); stay != nil && !s.state.Contact.Deleted {
			s.leave(stay, s.now, manually, bucketgen.ReasonRetired)
		}
	})
}

func (s *Session) refuses(b registry.Index) (Result, bool) {
	r := Result{Deleted: s.state.Contact.Deleted, Paused: s.isFrozen(b)}
	return r, r.Deleted || r.Paused
}

// manually is the cause of what follows from Add and Remove.
var manually = cause{source: bucketgen.SourceManual, upTo: registry.Unset}

// changed does what follows from the change of a manual bucket, which is the transition after so many.
func (s *Session) changed(b registry.Index, before int) {
	l := s.glance(b, s.now, false)
	s.arm(&l, s.now)
	s.round(sorted(s.dependents(before)), s.now, manually)
}

// Delete hides the user: from now on nothing is evaluated or emitted for them, and no clock runs.
func (s *Session) Delete(clock registry.Instant) Result {
	return s.step(func() {
		s.advance(clock)
		s.setDeleted(true)
		for i := range s.state.Due {
			s.state.Due[i].At = registry.Never
		}
		s.settled = registry.Never // so that every due instant that is stored goes
	})
}

// Restore undoes Delete. What the user would have joined or left in the meantime happens now.
func (s *Session) Restore(clock registry.Instant) Result {
	return s.step(func() {
		s.advance(clock)
		if s.state.Contact.Deleted {
			s.setDeleted(false)
			s.rederive()
		}
	})
}

// Reconcile derives every membership of the user anew and repairs what differs.
func (s *Session) Reconcile(clock registry.Instant) Result {
	repaired := 0
	result := s.step(func() {
		s.advance(clock)
		s.settle(s.now)
		if s.state.Contact.Deleted {
			return
		}
		before, due := len(s.changes.Transitions), slices.Clone(s.state.Due)
		s.rederive()
		repaired = len(s.changes.Transitions) - before
		for _, d := range s.state.Due { // one that stands too early is right
			i := slices.IndexFunc(due, func(was Due) bool { return was.Bucket == d.Bucket })
			if d.At != registry.Never && (i < 0 || d.At < due[i].At) {
				repaired++
			}
		}
	})
	result.Repaired = repaired
	return result
}

func (s *Session) rederive() {
	s.round(s.all(), s.now, cause{source: bucketgen.SourceReconcile, clock: true, upTo: registry.Unset})
}

// all returns all buckets.
func (s *Session) all() []registry.Index {
	all := make([]registry.Index, len(s.registry.Buckets))
	for i := range all {
		all[i] = registry.Index(i)
	}
	return all
}

func (s *Session) setDeleted(deleted bool) {
	if s.state.Contact.Deleted != deleted {
		s.state.Contact.Deleted = deleted
		s.contactChange().Deleted = &s.state.Contact.Deleted
	}
}
