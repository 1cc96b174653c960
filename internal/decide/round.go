package decide

import (
	"slices"

	"github.com/bucketgen/bucketgen/registry"
)

// cause says why buckets are looked at.
type cause struct {
	source Source
	byUser bool             // something of the user's own, an event or a trait: only that lifts a block
	clock  bool             // what only time does is done too: maximal dwell and ticks
	upTo   registry.Instant // ticks up to here are late already and come with the one that is due; Unset if none are
}

// look is one bucket in a round.
type look struct {
	bucket  registry.Index
	row     *registry.Bucket
	verdict registry.Verdict
}

// round looks at buckets at one instant and does what is to be done: first those leave whose time is up, then those
// whose criteria fails, then users join, then the stays that remain tick. Within each of these, buckets go by id. This
// is the only place where memberships change by criteria or clock.
func (s *Session) round(buckets []registry.Index, at registry.Instant, c cause) {
	looks := make([]look, 0, len(buckets))
	s.state.Facts.Now = at
	for _, b := range buckets {
		if row := &s.registry.Buckets[b]; !row.Disabled {
			looks = append(looks, look{b, row, s.evaluate(b)})
		}
	}
	if c.clock {
		for i := range looks {
			s.expire(&looks[i], at, c)
		}
	}
	for i := range looks {
		s.leaveIfFails(&looks[i], at, c)
	}
	for i := range looks {
		s.joinIfHolds(&looks[i], at, c)
	}
	if c.clock {
		for i := range looks {
			s.tick(&looks[i], at, c)
		}
	}
	ticked := at
	if !c.clock {
		ticked-- // a tick that is due at this very instant is still to come
	}
	for i := range looks {
		s.arm(&looks[i], ticked)
	}
}

// evaluate answers a dynamic bucket by its criteria. A manual one is as it is, until somebody changes it.
func (s *Session) evaluate(b registry.Index) registry.Verdict {
	if s.registry.Buckets[b].Kind == registry.Manual {
		stay := s.state.stay(b)
		return registry.Verdict{True: stay != nil && stay.Active(), Until: registry.Never}
	}
	asked := s.state.Facts.Asked()
	verdict := s.registry.Evaluate(b, s.state.Facts)
	if s.state.Facts.Asked() > asked && s.state.stay(b) == nil {
		s.lacks.Stays = append(s.lacks.Stays, b) // should it turn out that the user joins, that will be asked next
	}
	return verdict
}

// active returns the stay by which the user is in the bucket, if they are.
func (s *Session) active(b registry.Index) *Stay {
	if stay := s.state.stay(b); stay != nil && stay.Active() {
		return stay
	}
	return nil
}

func (s *Session) expire(l *look, at registry.Instant, c cause) {
	stay := s.active(l.bucket)
	if stay == nil || l.row.MaxDwell == 0 || at < stay.EnteredAt.Add(l.row.MaxDwell) {
		return
	}
	s.leave(stay, at, c.source, ReasonMaxDwell)
	if l.row.Kind == registry.Manual {
		l.verdict.True = false
	}
	stay.Blocked = l.verdict.True
}

func (s *Session) leaveIfFails(l *look, at registry.Instant, c cause) {
	stay := s.active(l.bucket)
	if stay == nil || l.verdict.True || at < stay.EnteredAt.Add(l.row.MinDwell) {
		return
	}
	s.leave(stay, at, c.source, ReasonCriteria)
}

func (s *Session) joinIfHolds(l *look, at registry.Instant, c cause) {
	if l.row.Kind == registry.Manual || s.active(l.bucket) != nil {
		return
	}
	stay := s.state.stay(l.bucket)
	blocked := stay != nil && stay.Blocked
	switch {
	case !l.verdict.True:
		if blocked {
			stay.Blocked = false
			stay.fate |= amended
		}
	case !c.byUser && (blocked || l.row.NoClockJoins):
	default:
		s.join(l.bucket, at, c.source)
	}
}

// arm notes when the clock has to look at the bucket again. Ticks up to an instant are done.
func (s *Session) arm(l *look, ticked registry.Instant) {
	stay := s.state.stay(l.bucket)
	due := registry.Never
	switch {
	case stay != nil && stay.Active():
		due = l.verdict.Until
		if !l.verdict.True { // stays for the minimal dwell; whether the criteria holds again is asked then
			due = stay.EnteredAt.Add(l.row.MinDwell)
		}
		if l.row.MaxDwell > 0 {
			due = min(due, stay.EnteredAt.Add(l.row.MaxDwell))
		}
		due = min(due, stay.nextTick(l.row, max(ticked, stay.TickedAt)))
	case l.row.NoClockJoins:
	case !l.verdict.True || stay != nil && stay.Blocked:
		due = l.verdict.Until
	}
	s.setDue(l.bucket, due)
}

func (s *Session) setDue(b registry.Index, at registry.Instant) {
	i := slices.IndexFunc(s.state.Due, func(d Due) bool { return d.Bucket == b })
	switch {
	case i >= 0:
		s.state.Due[i].At = at
	case at != registry.Never:
		s.state.Due = append(s.state.Due, Due{Bucket: b, At: at, stored: registry.Never})
	}
}
