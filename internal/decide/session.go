package decide

import (
	"slices"

	"github.com/bucketgen/bucketgen/registry/table"
)

// Session decides about one user at a time. [Session.Begin] starts it on a user; each call after
// that is one thing that happens to the user. The zero value has not begun.
type Session struct {
	scratch

	registry *table.Registry
	state    *State
	live     bool
	replayed bool
	limits   Limits
	frozen   []bool
	steps    []Rollout

	now        table.Instant
	rolledOut  table.Instant // last change of definitions that was applied
	settled    table.Instant // due instants up to here are settled
	finished   []StayChange  // stays of this session that a later one in the bucket replaced
	contact    *ContactChange
	touched    keys // keys of the contact's properties that were set or removed
	changes    Changes
	lacks      Lacks
	prefetched []table.BucketIndex // buckets whose facts were evaluated only to learn what they lack
}

// Options configures a session, beside the facts.
type Options struct {
	// Live means that the clock is real and may be late. Ticks that it missed are then sent as one.
	// In virtual time no tick is missed.
	Live bool

	// Replayed means that events happen at the time of what is replayed, not by a clock.
	Replayed bool

	// Limits limits the user's properties.
	Limits Limits

	// Frozen holds, by bucket, whether memberships stay as they are: the bucket is paused, or
	// another definition of it is deployed. Buckets that their definition disables are frozen in
	// any case. Nil: none.
	Frozen []bool

	// Steps holds the changes of definitions that were not yet applied to the user, by their
	// instants. The session applies them first.
	Steps []Rollout
}

// Rollout is a change of definitions, or a change of the user by a process that has other
// definitions.
type Rollout struct {
	Buckets []table.BucketIndex // new, changed or resumed buckets, sorted

	// Defined means that the step is a change of definitions; the other fields are about it.
	// Otherwise the change was applied to the user before, and a process with other definitions
	// changed the user since. The buckets are then evaluated as if this process had done it.
	Defined bool
	At      table.Instant // instant of the change
	Resumed bool          // the definitions are the same: the last of the missed ticks is sent
	Silent  bool          // leaves are not announced
	Joins   bool          // joins are announced
}

// Begin starts the session on the state of a user. It ends the session on the user before: Changes
// of that session are overwritten, its Results are not.
func (s *Session) Begin(r *table.Registry, st *State, o Options) {
	for i := range st.Due {
		st.Due[i].stored = st.Due[i].At
	}
	for i := range st.Stays {
		st.Stays[i].changed = untouched
	}
	*s = Session{
		registry: r, state: st, live: o.Live, replayed: o.Replayed, limits: o.Limits, frozen: o.Frozen, steps: o.Steps, now: table.Unset, rolledOut: table.Unset, settled: table.Unset,
		changes: s.changes.emptied(), scratch: s.scratch,
	}
	st.Facts.SetMemberships((*members)(s))
	s.cancelExpiry()
}

// Now returns the user's time: the instant of the last thing that happened in the session.
func (s *Session) Now() table.Instant { return s.now }

// advance moves the user's time to the clock's, never backwards, and settles every due instant
// before it. Steps come first, each at its own instant. It reports whether the user is still there:
// an anonymous contact may have expired.
func (s *Session) advance(clock table.Instant) (there bool) {
	s.now = max(s.now, clock, s.state.past())
	for len(s.steps) > 0 {
		step := s.steps[0]
		if step.Defined {
			s.now = max(s.now, step.At)
			s.rollOut(&step)
		} else {
			s.recheck(step.Buckets)
		}
		s.steps = s.steps[1:]
	}
	s.settle(s.now - 1)
	return !s.changes.Ended
}

// rollOut applies a change of definitions: at its instant or, if processes that did not know of it
// changed the user since, at the instant of their last change. It settles what was due before,
// except in the buckets that changed: their due instants belong to other definitions.
func (s *Session) rollOut(step *Rollout) {
	at := max(step.At, s.state.past(), s.rolledOut) // the clocks of deploying processes differ
	s.rolledOut = at
	buckets := slices.DeleteFunc(slices.Clone(step.Buckets), s.isFrozen)
	for i := range s.state.Due {
		if d := &s.state.Due[i]; slices.Contains(buckets, d.Bucket) {
			d.At, d.stale = table.Never, true
		}
	}
	s.settle(at - 1)
	if !s.isGone() {
		s.round(buckets, at, byRollout(step, buckets))
	}
}

// recheck evaluates buckets after a process with other definitions of them changed the user.
func (s *Session) recheck(buckets []table.BucketIndex) {
	at := min(s.state.past(), s.now)
	if at == table.Unset {
		return // nothing is known of the user
	}
	s.settle(at - 1)
	if !s.isGone() {
		s.round(slices.DeleteFunc(slices.Clone(buckets), s.isFrozen), at, byEvent())
	}
}

// isGone reports whether nothing happens to the user any more.
func (s *Session) isGone() bool { return s.state.Contact.Deleted || s.changes.Ended }

// isFrozen reports whether memberships of a bucket stay as they are.
func (s *Session) isFrozen(b table.BucketIndex) bool {
	return b != Whole && (s.registry.Buckets[b].Disabled || s.frozen != nil && s.frozen[b])
}

// settle applies every due instant up to an instant: each in turn, on the facts as they were then.
// So its results do not depend on how late it runs.
func (s *Session) settle(upTo table.Instant) {
	missedUpTo := table.Unset
	if s.live {
		missedUpTo = upTo
	}
	for {
		at, buckets := s.nextDue()
		if at > upTo {
			break
		}
		s.apply(buckets, at, missedUpTo)
	}
	s.settled = max(s.settled, upTo)
}

// apply does what is due at an instant.
func (s *Session) apply(due []table.BucketIndex, at, missedUpTo table.Instant) {
	if due[0] == Whole {
		s.end(at)
		return
	}
	s.round(due, at, byClock(missedUpTo))
}

// nextDue returns the earliest due instant and the buckets that are due then, sorted. It skips
// frozen buckets, and forgets the due instants of a deleted user, but for [Whole].
func (s *Session) nextDue() (table.Instant, []table.BucketIndex) {
	at := table.Never
	var buckets []table.BucketIndex
	for i := range s.state.Due {
		d := &s.state.Due[i]
		if s.state.Contact.Deleted && d.Bucket != Whole {
			d.At = table.Never
		}
		switch {
		case s.isFrozen(d.Bucket): // kept as it is until the bucket is resumed
		case d.At == table.Never || d.At > at:
		case d.At < at:
			at, buckets = d.At, append(buckets[:0], d.Bucket)
		default:
			buckets = append(buckets, d.Bucket)
		}
	}
	slices.Sort(buckets)
	return at, buckets
}

// Result is what came of one call of a session. It belongs to the caller.
type Result struct {
	Refused     *Refusal     // why the event was refused; nil: it was not. If set, nothing was done
	Duplicate   bool         // the idempotency key was seen before; nothing was done
	Deleted     bool         // the user is deleted; nothing was done
	Ended       bool         // the anonymous contact has expired before; nothing else was done
	Paused      bool         // the bucket is paused; nothing was done
	Excluded    bool         // the bucket excludes anonymous contacts; nothing was done
	Repaired    int          // memberships and due instants that were wrong
	Transitions []Transition // in order, including those that were due before
}

// step runs one call and returns the transitions that it made.
func (s *Session) step(run func()) Result {
	before := len(s.changes.Transitions)
	run()
	result := Result{Ended: s.changes.Ended}
	if made := s.changes.Transitions[before:]; len(made) > 0 {
		result.Transitions = slices.Clone(made)
	}
	return result
}
