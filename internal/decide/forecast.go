package decide

import (
	"slices"

	"github.com/bucketgen/bucketgen/registry/table"
)

// Stay returns a copy of the latest stay of the user in a bucket, or nil if there never was one. It
// reports whether that is known; otherwise the stay is added to what the session lacks.
func (s *Session) Stay(b table.BucketIndex) (stay *Stay, known bool) {
	latest, known := s.state.latest(b)
	if !known {
		s.lacks.addStay(b)
	}
	if latest == nil || latest.EntryCount == 0 {
		return nil, known
	}
	copied := *latest
	return &copied, known
}

// Trace evaluates every condition of a dynamic bucket at the user's time, in the order of its
// nodes. Facts that are not loaded are added to what the session lacks.
func (s *Session) Trace(b table.BucketIndex) []table.Traced {
	return s.registry.Trace(b, s.state.Facts, s.now)
}

// Forecast is what happens next to a user in a bucket if only time passes.
type Forecast struct {
	// Transitions is a join, a leave, or ticks that are due together. It is empty if nothing ever
	// happens, or nothing within the due instants that Forecast may apply.
	Transitions []Transition

	// At is the instant of the transitions. Without any, nothing happens before it; Never if
	// nothing ever happens.
	At table.Instant
}

// Forecast applies due instants, a limited number of them, until something happens to the user in a
// bucket. Ticks count only if wanted. Afterwards the session is about the future: its changes must
// not be written.
func (s *Session) Forecast(b table.BucketIndex, ticks bool, most int) Forecast {
	relevant := s.askedBy(b)
	s.registry = silent(s.registry, b, ticks)
	for {
		// Other buckets that are due change nothing for this one.
		s.state.Due = slices.DeleteFunc(s.state.Due, func(d Due) bool { return d.Bucket != Whole && !slices.Contains(relevant, d.Bucket) })
		at, buckets := s.nextDue()
		if _, lacking := s.Lacks(); lacking || most == 0 || at == table.Never {
			return Forecast{At: at}
		}
		most--
		before := len(s.changes.Transitions)
		s.now = at
		s.apply(buckets, at, table.Unset)
		happened := slices.DeleteFunc(slices.Clone(s.changes.Transitions[before:]), func(t Transition) bool {
			return t.Bucket != b
		})
		if len(happened) > 0 {
			return Forecast{happened, at}
		}
	}
}

// silent returns the registry without ticks, except those of one bucket if wanted. Ticks change no
// membership, and an hourly tick would use up the due instants that Forecast may apply.
func silent(r *table.Registry, b table.BucketIndex, ticks bool) *table.Registry {
	buckets := slices.Clone(r.Buckets)
	for i := range buckets {
		if table.BucketIndex(i) != b || !ticks {
			buckets[i].Ticks = nil
		}
	}
	return r.With(buckets)
}

// askedBy returns a bucket and all buckets that it asks about, directly or indirectly.
func (s *Session) askedBy(b table.BucketIndex) []table.BucketIndex {
	all := []table.BucketIndex{b}
	for i := 0; i < len(all); i++ {
		for _, n := range s.registry.Buckets[all[i]].Criteria {
			if n.Op == table.OpInBucket && !slices.Contains(all, n.Bucket) {
				all = append(all, n.Bucket)
			}
		}
	}
	return all
}
