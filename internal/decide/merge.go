package decide

import "github.com/bucketgen/bucketgen/registry"

// Merge looks at every bucket after the history of another has become the user's, as after an event that each of them asks
// about.
func (s *Session) Merge(clock registry.Instant) Result {
	return s.step(func() {
		s.advance(clock)
		s.state.Contact.New = false
		s.round(s.all(), s.now, cause{source: SourceEvent, byUser: true})
	})
}

// Succeeds reports whether a user's last stay in a bucket becomes the last of another whom the user is merged into, and who was
// in it, too: if it lasts and theirs does not, or if it ended later.
func (s *Stay) Succeeds(other *Stay) bool {
	return !other.Active() && (s.Active() || s.LeftAt > other.LeftAt)
}
