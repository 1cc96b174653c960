package decide

import (
	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/registry"
)

// Last returns the user's last stay in each bucket that they were ever in.
func (s *Session) Last() []Stay {
	var all []Stay
	for _, b := range s.all() {
		if stay := s.Stay(b); stay != nil {
			all = append(all, *stay)
		}
	}
	return all
}

// Yield ends the user's stays in buckets in which another is, too, whom the user is merged into, and whose last stays are given:
// theirs goes on. Nobody hears of it, and be the bucket paused: who was in it still is. Both have caught up with the clock.
func (s *Session) Yield(to []Stay, clock registry.Instant) Result {
	return s.step(func() {
		s.now = max(clock, s.state.past())
		for i := range to {
			if stay := s.active(to[i].Bucket); stay != nil && to[i].Active() {
				s.leave(stay, s.now, cause{source: bucketgen.SourceEvent, silentLeaves: true}, bucketgen.ReasonMerged)
			}
		}
	})
}

// Handover is a stay of one user that becomes the next of another in the same bucket.
type Handover struct {
	Bucket      registry.Index
	Epoch, Next int // its number among the stays of the one, and of the other
}

// Inherit lets the last stays of another, who is merged into the user, become the user's next, with all that happened to them:
// each that is later than the user's own last in its bucket. So it is neither left nor entered.
func (s *Session) Inherit(from []Stay) []Handover {
	var handed []Handover
	for _, stay := range from {
		next := 1
		if own := s.Stay(stay.Bucket); own != nil {
			if !stay.succeeds(own) {
				continue
			}
			next = own.Epoch + 1
		}
		handed = append(handed, Handover{stay.Bucket, stay.Epoch, next})
		stay.Epoch = next
		s.replace(s.state.stay(stay.Bucket), stay)
	}
	return handed
}

// succeeds reports whether one of two last stays in a bucket is later than the other: if it lasts and the other does not, or
// if it ended later.
func (s *Stay) succeeds(other *Stay) bool {
	return !other.Active() && (s.Active() || s.LeftAt > other.LeftAt)
}

// Merge looks at every bucket after the history of another has become the user's, as after an event that each of them asks
// about.
func (s *Session) Merge(clock registry.Instant) Result {
	return s.step(func() {
		s.advance(clock)
		s.state.Contact.New = false
		s.round(s.all(), s.now, cause{source: bucketgen.SourceEvent, byUser: true})
	})
}
