package decide

import (
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/registry/table"
)

// evaluation is one bucket in a round.
type evaluation struct {
	bucket  table.BucketIndex
	row     *table.Bucket
	verdict table.Verdict
	clock   bool // max dwell and ticks apply
	stay    int  // position of the latest stay in State.Stays, or none
}

// none is the position of a stay that is not known, or never was.
const none = -1

func (s *Session) evaluation(b table.BucketIndex, at table.Instant, clock bool) evaluation {
	return evaluation{bucket: b, row: &s.registry.Buckets[b], verdict: s.verdict(b, at), clock: clock, stay: s.state.position(b)}
}

// latestStay returns the latest stay in the bucket, or nil if none is known.
func (s *Session) latestStay(e *evaluation) *Stay {
	if e.stay == none {
		return nil
	}
	return &s.state.Stays[e.stay]
}

// activeStay returns the stay by which the user is in the bucket, or nil.
func (s *Session) activeStay(e *evaluation) *Stay {
	if stay := s.latestStay(e); stay != nil && stay.Active() {
		return stay
	}
	return nil
}

// round evaluates buckets at one instant, and then those that ask about a bucket whose membership
// changed. It goes by level, which is greater than that of every bucket that is asked about, so
// each bucket is evaluated once.
func (s *Session) round(buckets []table.BucketIndex, at table.Instant, c cause) {
	for len(buckets) > 0 {
		level, rest := s.lowest(buckets)
		before := len(s.changes.Transitions)
		s.roundOf(level, at, &c)
		buckets = rest
		if dependents := s.dependents(before); len(dependents) > 0 {
			buckets = sorted(slices.Concat(rest, dependents))
		}
	}
}

// sorted sorts buckets, without repetition.
func sorted(buckets []table.BucketIndex) []table.BucketIndex {
	slices.Sort(buckets)
	return slices.Compact(buckets)
}

// lowest splits buckets into those of the lowest level and the others. Both stay sorted.
func (s *Session) lowest(buckets []table.BucketIndex) (level, rest []table.BucketIndex) {
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

// dependents returns, in no order, the buckets that ask about a bucket that the user joined or left
// in the transitions from a position on.
func (s *Session) dependents(from int) []table.BucketIndex {
	var all []table.BucketIndex
	for _, t := range s.changes.Transitions[from:] {
		if t.Kind != bucketgen.Dwell {
			all = append(all, s.registry.Buckets[t.Bucket].Dependents...)
		}
	}
	return all
}

// roundOf evaluates buckets that do not ask about each other. Stays whose max dwell is over end
// first, then those whose criteria fail; then users join, then the remaining stays tick. Within
// each of these, buckets go by id. Memberships change by criteria or clock only here.
func (s *Session) roundOf(buckets []table.BucketIndex, at table.Instant, c *cause) {
	evaluations := s.evaluations[:0]
	for _, b := range buckets {
		if !s.isFrozen(b) {
			evaluations = append(evaluations, s.evaluation(b, at, c.appliesClock(b)))
		}
	}
	s.evaluations = evaluations
	for i := range evaluations {
		s.expire(&evaluations[i], at, c)
	}
	for i := range evaluations {
		s.leaveIfFails(&evaluations[i], at, c)
	}
	for i := range evaluations {
		s.joinIfHolds(&evaluations[i], at, c)
	}
	for i := range evaluations {
		s.tick(&evaluations[i], at, c)
	}
	for i := range evaluations {
		ticked := at
		if !evaluations[i].clock {
			ticked-- // a tick that is due at this very instant is still to come
		}
		s.schedule(&evaluations[i], ticked)
	}
}

// verdict evaluates the criteria of a dynamic bucket. A manual bucket stays as it is until an admin
// changes it.
func (s *Session) verdict(b table.BucketIndex, at table.Instant) table.Verdict {
	if s.registry.Buckets[b].Kind == table.Manual {
		return table.Verdict{True: s.active(b) != nil, Until: table.Never}
	}
	if s.excludes(b) {
		return table.Verdict{True: false, Until: table.Never}
	}
	verdict, lacking := s.evaluate(b, at)
	if lacking {
		s.lackDependents(b, at)
	}
	return verdict
}

// excludes reports whether the user is an anonymous contact, and the bucket excludes those.
func (s *Session) excludes(b table.BucketIndex) bool {
	return s.state.Contact.Visitor && !s.registry.Buckets[b].Anonymous
}

// evaluate evaluates the criteria of a dynamic bucket, and reports whether facts were lacking. If
// so, the latest stay is needed as well should the user join, so a stay that is not loaded is
// lacking too.
func (s *Session) evaluate(b table.BucketIndex, at table.Instant) (verdict table.Verdict, lacking bool) {
	s.changes.Evaluations++
	verdict, lacking = s.registry.Evaluate(b, s.state.Facts, at)
	if lacking {
		s.lackStay(b)
	}
	return verdict, lacking
}

// lackDependents adds to what is lacking the facts and stays that all direct and indirect
// dependents of a bucket need. They are needed should the user join or leave it; loading them at
// once saves a round trip for each level.
func (s *Session) lackDependents(b table.BucketIndex, at table.Instant) {
	for _, d := range s.registry.Buckets[b].Dependents {
		if s.excludes(d) || slices.Contains(s.prefetched, d) {
			continue
		}
		s.prefetched = append(s.prefetched, d)
		s.evaluate(d, at)
		s.lackStay(d)
		s.lackDependents(d, at)
	}
}

// lackStay adds the latest stay in a bucket to what is lacking, unless it is known.
func (s *Session) lackStay(b table.BucketIndex) {
	if _, known := s.state.latest(b); !known {
		s.lacks.addStay(b)
	}
}

// members answers criteria that ask about other buckets: whether the user is in one now, and until
// when at least that stays so. A paused bucket does not change.
type members Session

// Membership implements [registry.Memberships].
func (m *members) Membership(b table.BucketIndex) table.Verdict {
	s := (*Session)(m)
	v := table.Verdict{True: s.active(b) != nil, Until: table.Never}
	if !s.isFrozen(b) {
		for i := range s.state.Due {
			if s.state.Due[i].Bucket == b {
				v.Until = s.state.Due[i].At
			}
		}
	}
	return v
}

// active returns the stay by which the user is in the bucket, or nil.
func (s *Session) active(b table.BucketIndex) *Stay {
	if stay := s.state.stay(b); stay != nil && stay.Active() {
		return stay
	}
	return nil
}

func (s *Session) expire(e *evaluation, at table.Instant, c *cause) {
	stay := s.activeStay(e)
	if !e.clock || stay == nil || e.row.MaxDwell == 0 || at < stay.EnteredAt.Add(e.row.MaxDwell) {
		return
	}
	s.leave(stay, at, c, bucketgen.ReasonMaxDwell)
	stay.Blocked = e.row.Kind == table.Dynamic // joinIfHolds ends the block if the criteria fail
}

func (s *Session) leaveIfFails(e *evaluation, at table.Instant, c *cause) {
	stay := s.activeStay(e)
	if stay == nil || e.verdict.True || at < stay.EnteredAt.Add(e.row.MinDwell) {
		return
	}
	s.leave(stay, at, c, bucketgen.ReasonCriteria)
}

func (s *Session) joinIfHolds(e *evaluation, at table.Instant, c *cause) {
	if e.row.Kind == table.Manual || s.activeStay(e) != nil {
		return
	}
	stay := s.latestStay(e)
	blocked := stay != nil && stay.Blocked
	switch {
	case !e.verdict.True:
		if blocked {
			stay.Blocked = false
			stay.changed |= amended
		}
	case blocked && !c.ofUser, c.timePasses && e.row.NoClockJoins:
	default:
		s.join(e.bucket, at, c)
		e.stay = s.state.position(e.bucket)
	}
}

// schedule sets the instant at which the clock evaluates the bucket next. Ticks up to ticked are
// done.
func (s *Session) schedule(e *evaluation, ticked table.Instant) {
	stay := s.latestStay(e)
	due := table.Never
	switch {
	case stay != nil && stay.Active():
		due = e.verdict.Until
		if !e.verdict.True { // min dwell holds the user back; its end evaluates the criteria again
			due = stay.EnteredAt.Add(e.row.MinDwell)
		}
		if e.row.MaxDwell > 0 {
			due = min(due, stay.EnteredAt.Add(e.row.MaxDwell))
		}
		due = min(due, stay.nextTick(e.row, max(ticked, stay.TickedAt)))
	case stay != nil && stay.Blocked, !e.verdict.True && !e.row.NoClockJoins:
		due = e.verdict.Until
	}
	s.setDue(e.bucket, due)
}

func (s *Session) setDue(b table.BucketIndex, at table.Instant) {
	i := slices.IndexFunc(s.state.Due, func(d Due) bool { return d.Bucket == b })
	switch {
	case i >= 0:
		s.state.Due[i].At = at
	case at != table.Never:
		s.state.Due = append(s.state.Due, Due{Bucket: b, At: at, stored: table.Never})
	}
}
