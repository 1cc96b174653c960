package decide

import (
	"slices"

	"github.com/bucketgen/bucketgen/registry/table"
)

// Members returns the buckets that the user is in, in no order.
func (s *Session) Members() []table.BucketIndex {
	var all []table.BucketIndex
	for i := range s.state.Stays {
		if s.state.Stays[i].Active() {
			all = append(all, s.state.Stays[i].Bucket)
		}
	}
	return all
}

// Found returns the candidates of the last event.
func (s *Session) Found() []table.BucketIndex { return slices.Clone(s.found) }

// Silence leaves out all ticks from now on. They change no membership, and an hourly tick would use
// up the due instants that Foretell may apply.
func (s *Session) Silence() {
	buckets := slices.Clone(s.registry.Buckets)
	for i := range buckets {
		buckets[i].Ticks = nil
	}
	s.registry = s.registry.With(buckets)
}

// Foretell applies all due instants up to an instant, a limited number of them, each at its own
// time. It returns the transitions, and the instant before which nothing else happens: until, or an
// earlier one if it was cut off there. Afterwards the session is about the future: its changes must
// not be written.
func (s *Session) Foretell(until table.Instant, most int) (made []Transition, complete table.Instant) {
	before := len(s.changes.Transitions)
	for {
		at, buckets := s.nextDue()
		_, lacking := s.Lacks()
		switch {
		case at > until:
			s.now = max(s.now, until)
			return slices.Clone(s.changes.Transitions[before:]), until
		case lacking, most == 0:
			return slices.Clone(s.changes.Transitions[before:]), at
		}
		most--
		s.now = max(s.now, at)
		s.apply(buckets, at, table.Unset)
	}
}
