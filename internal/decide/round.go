package decide

import (
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/registry"
)

// cause says why buckets are looked at.
type cause struct {
	source bucketgen.Source
	byUser bool             // something of the user's own, an event or a trait: only that lets somebody join who is blocked
	clock  bool             // what only time does is done too: maximal dwell and ticks
	step   []registry.Index // not nil: the buckets that a change of definitions is about, and to them only time does that
	upTo   registry.Instant // ticks up to here are late already and come with the one that is due; Unset if none are

	skipTicks    bool // those that are due do not come any more
	silentJoins  bool // they are not announced
	silentLeaves bool
	anchor       bool // ticks of whoever joins count from when the criteria began to hold, if that is known
}

// glance is one bucket in a round.
type glance struct {
	bucket  registry.Index
	row     *registry.Bucket
	verdict registry.Verdict
	clock   bool // what only time does is done, too
	place   int  // of the latest stay among those of the state, or none
}

// none is the place of a stay that is not known, or never was.
const none = -1

// glance begins to look at a bucket.
func (s *Session) glance(b registry.Index, at registry.Instant, clock bool) glance {
	return glance{bucket: b, row: &s.registry.Buckets[b], verdict: s.evaluate(b, at), clock: clock, place: s.state.place(b)}
}

// latest returns the latest stay in the bucket, if it is known.
func (s *Session) latest(l *glance) *Stay {
	if l.place == none {
		return nil
	}
	return &s.state.Stays[l.place]
}

// lasting returns the stay by which the user is in the bucket, if they are.
func (s *Session) lasting(l *glance) *Stay {
	if stay := s.latest(l); stay != nil && stay.Active() {
		return stay
	}
	return nil
}

// round looks at buckets at one instant, and at those that ask whether the user is in one of which that changed. A bucket
// is looked at after all those that it asks about, so that one look at each suffices.
func (s *Session) round(buckets []registry.Index, at registry.Instant, c cause) {
	for len(buckets) > 0 {
		level, rest := s.lowest(buckets)
		before := len(s.changes.Transitions)
		s.look(level, at, c)
		buckets = rest
		if dependents := s.dependents(before); len(dependents) > 0 {
			buckets = sorted(slices.Concat(rest, dependents))
		}
	}
}

// sorted sorts buckets, without repetition.
func sorted(buckets []registry.Index) []registry.Index {
	slices.Sort(buckets)
	return slices.Compact(buckets)
}

// lowest splits buckets into those of the lowest level and the others. Both stay sorted.
func (s *Session) lowest(buckets []registry.Index) (level, rest []registry.Index) {
	lowest, same := s.registry.Buckets[buckets[0]].Level, true
	for _, b := range buckets[1:] {
		same = same && s.registry.Buckets[b].Level == lowest
		lowest = min(lowest, s.registry.Buckets[b].Level)
	}
	if same {
		return buckets, nil
	}
	for _, b := range buckets {
		if s.registry.Buckets[b].Level == lowest {
			level = append(level, b)
		} else {
			rest = append(rest, b)
		}
	}
	return level, rest
}

// dependents returns the buckets that ask about those which the user joined or left since so many transitions, in no
// order.
func (s *Session) dependents(before int) []registry.Index {
	var all []registry.Index
	for _, t := range s.changes.Transitions[before:] {
		if t.Kind != bucketgen.Dwell {
			all = append(all, s.registry.Buckets[t.Bucket].Dependents...)
		}
	}
	return all
}

// look looks at buckets that do not ask about each other and does what is to be done: first those leave whose time is up,
// then those whose criteria fails, then users join, then the stays that remain tick. Within each of these, buckets go by
// id. This is the only place where memberships change by criteria or clock.
func (s *Session) look(buckets []registry.Index, at registry.Instant, c cause) {
	glances := s.glances[:0]
	for _, b := range buckets {
		if !s.isFrozen(b) {
			glances = append(glances, s.glance(b, at, c.clock && (c.step == nil || slices.Contains(c.step, b))))
		}
	}
	s.glances = glances
	for i := range glances {
		s.expire(&glances[i], at, c)
	}
	for i := range glances {
		s.leaveIfFails(&glances[i], at, c)
	}
	for i := range glances {
		s.joinIfHolds(&glances[i], at, c)
	}
	for i := range glances {
		s.tick(&glances[i], at, c)
	}
	for i := range glances {
		ticked := at
		if !glances[i].clock {
			ticked-- // a tick that is due at this very instant is still to come
		}
		s.arm(&glances[i], ticked)
	}
}

// evaluate answers a dynamic bucket by its criteria. A manual one is as it is, until somebody changes it.
func (s *Session) evaluate(b registry.Index, at registry.Instant) registry.Verdict {
	if s.registry.Buckets[b].Kind == registry.Manual {
		stay := s.state.stay(b)
		return registry.Verdict{True: stay != nil && stay.Active(), Until: registry.Never}
	}
	verdict, lacking := s.ask(b, at)
	if lacking {
		s.foresee(b, at)
	}
	return verdict
}

// ask evaluates the criteria of a dynamic bucket, and reports whether it lacks facts. Should it turn out that the user
// joins, the stay before will be asked for next, so that is noted at once.
func (s *Session) ask(b registry.Index, at registry.Instant) (verdict registry.Verdict, lacking bool) {
	s.changes.Evaluations++
	verdict, lacking = s.registry.Evaluate(b, s.state.Facts, at)
	if lacking {
		s.lackStay(b)
	}
	return verdict, lacking
}

// foresee notes what will be lacking should the user turn out to join or leave a bucket: whatever the buckets need that
// ask about it, directly or not. So the levels of buckets do not add up to round trips.
func (s *Session) foresee(b registry.Index, at registry.Instant) {
	for _, d := range s.registry.Buckets[b].Dependents {
		if slices.Contains(s.foreseen, d) {
			continue
		}
		s.foreseen = append(s.foreseen, d)
		s.ask(d, at)
		s.lackStay(d)
		s.foresee(d, at)
	}
}

func (s *Session) lackStay(b registry.Index) {
	if !s.state.knows(b) {
		s.lacks.Stays = append(s.lacks.Stays, b)
	}
}

// members answers criteria that ask about other buckets: whether the user is in one now, and until
// when at least that stays so. A paused bucket does not change.
type members Session

// Membership implements [registry.Memberships].
func (m *members) Membership(b registry.Index) registry.Verdict {
	s := (*Session)(m)
	v := registry.Verdict{True: s.active(b) != nil, Until: registry.Never}
	if !s.isFrozen(b) {
		for i := range s.state.Due {
			if s.state.Due[i].Bucket == b {
				v.Until = s.state.Due[i].At
			}
		}
	}
	return v
}

// active returns the stay by which the user is in the bucket, if they are.
func (s *Session) active(b registry.Index) *Stay {
	if stay := s.state.stay(b); stay != nil && stay.Active() {
		return stay
	}
	return nil
}

func (s *Session) expire(l *glance, at registry.Instant, c cause) {
	stay := s.lasting(l)
	if !l.clock || stay == nil || l.row.MaxDwell == 0 || at < stay.EnteredAt.Add(l.row.MaxDwell) {
		return
	}
	s.leave(stay, at, c, bucketgen.ReasonMaxDwell)
	if l.row.Kind == registry.Manual {
		l.verdict.True = false
	}
	stay.Blocked = l.verdict.True
}

func (s *Session) leaveIfFails(l *glance, at registry.Instant, c cause) {
	stay := s.lasting(l)
	if stay == nil || l.verdict.True || at < stay.EnteredAt.Add(l.row.MinDwell) {
		return
	}
	s.leave(stay, at, c, bucketgen.ReasonCriteria)
}

func (s *Session) joinIfHolds(l *glance, at registry.Instant, c cause) {
	if l.row.Kind == registry.Manual || s.lasting(l) != nil {
		return
	}
	stay := s.latest(l)
	blocked := stay != nil && stay.Blocked
	switch {
	case !l.verdict.True:
		if blocked {
			stay.Blocked = false
			stay.fate |= amended
		}
	case blocked && !c.byUser, c.clock && c.step == nil && l.row.NoClockJoins:
	default:
		s.join(l.bucket, at, c)
		l.place = s.state.place(l.bucket)
	}
}

// arm notes when the clock has to look at the bucket again. Ticks up to an instant are done.
func (s *Session) arm(l *glance, ticked registry.Instant) {
	stay := s.latest(l)
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
	case stay != nil && stay.Blocked, !l.verdict.True && !l.row.NoClockJoins:
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
