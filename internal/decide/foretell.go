package decide

import (
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/registry"
)

// Stay returns the latest stay of the user in a bucket, or nil if there never was one.
func (s *Session) Stay(b registry.Index) *Stay {
	stay := s.state.stay(b)
	if stay == nil {
		s.lackStay(b)
	}
	if stay == nil || stay.Epoch == 0 {
		return nil
	}
	copied := *stay
	return &copied
}

// Trace answers every condition of a dynamic bucket as of the user's time, by the places of its nodes.
func (s *Session) Trace(b registry.Index) []registry.Traced {
	return s.registry.Trace(b, s.state.Facts, s.now)
}

// Foretold is what happens next to a user in a bucket if nothing does but that time passes.
type Foretold struct {
	// Transitions is a join, a leave, or ticks that are due together. There is none if nothing ever happens, or not before
	// the session has looked as often as it may.
	Transitions []Transition

	// At is when that is, or up to when it is certain that nothing happens; Never if nothing ever does.
	At registry.Instant
}

// Foretell lets time pass until something happens to the user in a bucket, looking so many times at most. Ticks count only
// if they are asked for. From then on the session is about the future: it must not be written.
func (s *Session) Foretell(b registry.Index, ticks bool, looks int) Foretold {
	matters := s.asked(b)
	s.registry = silent(s.registry, b, ticks)
	for {
		// What else is due changes nothing for this bucket.
		s.state.Due = slices.DeleteFunc(s.state.Due, func(d Due) bool { return !slices.Contains(matters, d.Bucket) })
		at, buckets := s.nextDue()
		if _, lacking := s.Lacks(); lacking || looks == 0 || at == registry.Never {
			return Foretold{At: at}
		}
		looks--
		before := len(s.changes.Transitions)
		s.now = at
		s.round(buckets, at, cause{source: bucketgen.SourceClock, clock: true, upTo: registry.Unset})
		happened := slices.DeleteFunc(slices.Clone(s.changes.Transitions[before:]), func(t Transition) bool {
			return t.Bucket != b
		})
		if len(happened) > 0 {
			return Foretold{happened, at}
		}
	}
}

// silent returns a registry of which no bucket ticks but one, if that: ticks change no membership, and whoever waits for
// years need not look every hour.
func silent(r *registry.Registry, b registry.Index, ticks bool) *registry.Registry {
	buckets := slices.Clone(r.Buckets)
	for i := range buckets {
		if registry.Index(i) != b || !ticks {
			buckets[i].Ticks = nil
		}
	}
	return r.With(buckets)
}

// asked returns a bucket and all those that it asks about, directly or not.
func (s *Session) asked(b registry.Index) []registry.Index {
	all := []registry.Index{b}
	for i := 0; i < len(all); i++ {
		for _, n := range s.registry.Buckets[all[i]].Criteria {
			if n.Op == registry.OpInBucket && !slices.Contains(all, n.Bucket) {
				all = append(all, n.Bucket)
			}
		}
	}
	return all
}
