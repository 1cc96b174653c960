package decide

import (
	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Last returns the user's latest stay in each bucket that they were ever in. Stays that are not
// loaded are lacking, see [Session.Stay].
func (s *Session) Last() []Stay {
	var all []Stay
	for _, b := range s.all() {
		if stay, _ := s.Stay(b); stay != nil {
			all = append(all, *stay)
		}
	}
	return all
}

// Yield ends the loser's stays in buckets that the survivor of a merge is also in, by the
// survivor's latest stays; the survivor's stay continues. The leaves are not announced. Yield
// applies to paused buckets too. Both users have caught up with the clock.
func (s *Session) Yield(to []Stay, clock table.Instant) Result {
	return s.step(func() {
		s.now = max(clock, s.state.past())
		c := byMerge()
		for i := range to {
			if stay := s.active(to[i].Bucket); stay != nil && to[i].Active() {
				s.leave(stay, s.now, &c, bucketgen.ReasonMerged)
			}
		}
	})
}

// Handover is a stay of the loser of a merge that becomes the survivor's next in the same bucket.
type Handover struct {
	Bucket           table.BucketIndex
	EntryCount, Next int // number of the stay among the loser's stays, and among the survivor's
}

// Inherit makes the latest stays of the loser of a merge the user's next stays, with all that
// happened to them: each that is later than the user's own latest in its bucket. They are neither
// left nor entered.
func (s *Session) Inherit(from []Stay) []Handover {
	var handed []Handover
	for _, stay := range from {
		next := 1
		if own, _ := s.Stay(stay.Bucket); own != nil {
			if !stay.succeeds(own) {
				continue
			}
			next = own.EntryCount + 1
		}
		handed = append(handed, Handover{stay.Bucket, stay.EntryCount, next})
		stay.EntryCount = next
		s.replace(s.state.stay(stay.Bucket), stay)
	}
	return handed
}

// succeeds reports whether one of two latest stays in a bucket is later than the other: it is
// active and the other is not, or it ended later.
func (s *Stay) succeeds(other *Stay) bool {
	return !other.Active() && (s.Active() || s.LeftAt > other.LeftAt)
}

// Merge evaluates every bucket after the history of another user has become the user's, as by an
// event that each bucket asks about.
func (s *Session) Merge(clock table.Instant) Result {
	return s.step(func() {
		if !s.advance(clock) {
			return
		}
		s.startExpiry()
		s.state.Contact.New = false
		s.round(s.all(), s.now, byEvent())
	})
}
