package decide

import (
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/registry"
)

// Session decides over one user. The zero value is none that has begun.
type Session struct {
	scratch

	registry *registry.Registry
	state    *State
	live     bool
	replayed bool
	limits   Limits
	frozen   []bool
	steps    []Step

	now      registry.Instant
	followed registry.Instant // of the last change of definitions
	settled  registry.Instant // every due instant up to here is settled
	finished []StayChange     // stays of this session that a later one of the same bucket replaced
	contact  *ContactChange
	touched  keys // keys of the contact's properties that were set or removed
	changes  Changes
	lacks    Lacks
	foreseen []registry.Index // buckets of which is noted what they lack
}

// scratch is memory that a step of a session needs for a while.
type scratch struct {
	occurred        []registry.Occurrence
	found, standing []registry.Index
	glances         []glance
}

// Options are what decides about a session beside the facts.
type Options struct {
	// Live says that the clock is a real one, which may be behind. Ticks that were missed then come as one. In virtual
	// time nothing is ever missed.
	Live bool

	// Replayed says that steps go by the time of what is replayed, and by no clock.
	Replayed bool

	// Limits are how much the user's properties may come to.
	Limits Limits

	// Frozen are the buckets in which nothing moves, by their places, beside those that their definitions disable: they
	// are paused, or what is deployed is another definition. Nil: none.
	Frozen []bool

	// Steps are what the user has to be taken through before anything else, in the order of their instants, because
	// definitions changed that the user has not been looked at by.
	Steps []Step
}

// Step is how a user follows a change of definitions, or what somebody did who did not know of one.
type Step struct {
	Buckets []registry.Index // that are new, changed or resumed, sorted

	// Defined says that the step is a change of definitions, of which the others here speak. Otherwise the user had
	// followed it, and was changed since by a process that has other definitions: what comes of that is as if this one had
	// done it.
	Defined bool
	At      registry.Instant // of the change
	Resumed bool             // the definitions are the same, so ticks that were missed come, as one
	Silent  bool             // leaves are not announced
	Joins   bool             // joins are announced
}

// Lacks is what a session would have needed to know.
type Lacks struct {
	Facts []registry.Need  // that were not loaded
	Stays []registry.Index // buckets whose latest stay was not loaded

	// Properties are those of which the last change was not loaded.
	Properties []registry.Property
}

// Begin starts the session on a state. One that was there before ends, and its changes must not be looked at any more; results
// of its steps stay what they are.
func (s *Session) Begin(r *registry.Registry, st *State, o Options) {
	for i := range st.Due {
		st.Due[i].stored = st.Due[i].At
	}
	for i := range st.Stays {
		st.Stays[i].fate = untouched
	}
	*s = Session{
		registry: r, state: st, live: o.Live, replayed: o.Replayed, limits: o.Limits, frozen: o.Frozen, steps: o.Steps, now: registry.Unset, followed: registry.Unset, settled: registry.Unset,
		changes: s.changes.emptied(), scratch: s.scratch,
	}
	st.Facts.SetMemberships((*members)(s))
}

// Lacks reports what the session would have needed to know. If it says that something is lacking, the session is void.
func (s *Session) Lacks() (Lacks, bool) {
	s.lacks.Facts = s.state.Facts.Lacks()
	slices.Sort(s.lacks.Stays)
	s.lacks.Stays = slices.Compact(s.lacks.Stays)
	slices.Sort(s.lacks.Properties)
	s.lacks.Properties = slices.Compact(s.lacks.Properties)
	return s.lacks, len(s.lacks.Facts)+len(s.lacks.Stays)+len(s.lacks.Properties) > 0
}

// Now returns the user's time: that of the last thing that happened in the session.
func (s *Session) Now() registry.Instant { return s.now }

// advance moves the user's time to the clock, never backwards, and settles every due instant before it.
func (s *Session) advance(clock registry.Instant) {
	s.now = max(s.now, clock, s.state.past())
	for len(s.steps) > 0 {
		step := s.steps[0]
		if step.Defined {
			s.now = max(s.now, step.At)
			s.follow(step)
		} else {
			s.catchUp(step.Buckets)
		}
		s.steps = s.steps[1:]
	}
	s.settle(s.now - 1)
}

// follow takes the user through a change of definitions, at its instant or, if processes that did not know of it have
// looked at the user since, at the last that they speak of. What was due before that comes first, but of the buckets that
// changed nothing does: their due instants are those of other definitions.
func (s *Session) follow(step Step) {
	at := max(step.At, s.state.past(), s.followed) // the clocks of those who deploy differ
	s.followed = at
	buckets := slices.DeleteFunc(slices.Clone(step.Buckets), s.isFrozen)
	for i := range s.state.Due {
		if d := &s.state.Due[i]; slices.Contains(buckets, d.Bucket) {
			d.At, d.stale = registry.Never, true
		}
	}
	s.settle(at - 1)
	if !s.state.Contact.Deleted {
		s.round(buckets, at, cause{
			source: bucketgen.SourceBackfill, clock: true, step: buckets, upTo: registry.Unset,
			skipTicks: !step.Resumed, silentJoins: !step.Joins, silentLeaves: step.Silent, anchor: !step.Resumed,
		})
	}
}

// catchUp looks at buckets after somebody changed the user who has other definitions of them.
func (s *Session) catchUp(buckets []registry.Index) {
	at := min(s.state.past(), s.now)
	if at == registry.Unset {
		return // nothing is known of them
	}
	s.settle(at - 1)
	if !s.state.Contact.Deleted {
		s.round(slices.DeleteFunc(slices.Clone(buckets), s.isFrozen), at, cause{source: bucketgen.SourceEvent, byUser: true})
	}
}

// isFrozen reports whether nothing moves in a bucket.
func (s *Session) isFrozen(b registry.Index) bool {
	return s.registry.Buckets[b].Disabled || s.frozen != nil && s.frozen[b]
}

// settle does what was due up to an instant: each due instant in turn, on the facts as they stood. So what comes of it
// does not depend on how late it is done.
func (s *Session) settle(upTo registry.Instant) {
	c := cause{source: bucketgen.SourceClock, clock: true, upTo: registry.Unset}
	if s.live {
		c.upTo = upTo
	}
	for {
		at, buckets := s.nextDue()
		if at > upTo {
			break
		}
		s.round(buckets, at, c)
	}
	s.settled = max(s.settled, upTo)
}

// nextDue returns the earliest due instant and the buckets that are due then. Those that nothing may happen to have
// none.
func (s *Session) nextDue() (registry.Instant, []registry.Index) {
	at := registry.Never
	var buckets []registry.Index
	for i := range s.state.Due {
		d := &s.state.Due[i]
		if s.state.Contact.Deleted {
			d.At = registry.Never
		}
		switch {
		case s.isFrozen(d.Bucket): // it stays as it is, for whoever lets things move again
		case d.At == registry.Never || d.At > at:
		case d.At < at:
			at, buckets = d.At, append(buckets[:0], d.Bucket)
		default:
			buckets = append(buckets, d.Bucket)
		}
	}
	slices.Sort(buckets)
	return at, buckets
}

// Result is what one step of a session came to.
type Result struct {
	Refused     *Refusal     // not nil: the event was refused, and nothing was done
	Duplicate   bool         // the idempotency key had been seen: nothing was done
	Deleted     bool         // the user is deleted: nothing was done
	Paused      bool         // the bucket is paused: nothing was done
	Repaired    int          // memberships and due instants that were not what they should have been
	Transitions []Transition // including those that were merely due by now
}

// step runs one step and returns the transitions that it made.
func (s *Session) step(run func()) Result {
	before := len(s.changes.Transitions)
	run()
	return Result{Transitions: s.changes.Transitions[before:len(s.changes.Transitions):len(s.changes.Transitions)]}
}
