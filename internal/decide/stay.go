package decide

import (
	"cmp"
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/registry/table"
)

// join opens a stay. The entry policy decides whether it is announced; the stay and its number are
// real either way.
func (s *Session) join(b table.BucketIndex, at table.Instant, c *cause) {
	row := &s.registry.Buckets[b]
	prior, known := s.state.latest(b)
	if !known {
		s.lacks.addStay(b)
		s.lackDependents(b, at)
		return
	}
	stay := Stay{
		Bucket: b, EntryCount: 1, EnteredAt: at, LeftAt: table.Unset, AnchorAt: table.Unset, TickedAt: table.Unset,
		Source: c.source, changed: opened,
	}
	if c.anchor && len(row.Ticks) > 0 && row.Kind == table.Dynamic {
		if since := s.registry.HoldsSince(b, s.state.Facts, at); since < at {
			stay.AnchorAt, stay.TickedAt = since, at // earlier ticks are not sent
		}
	}
	suppressed := c.silentJoins
	if prior != nil && prior.EntryCount > 0 {
		stay.EntryCount = prior.EntryCount + 1
		suppressed = suppressed || !announced(row, prior, at)
	}
	s.replace(prior, stay)
	s.transition(Transition{Bucket: b, Kind: bucketgen.Entered, EntryCount: stay.EntryCount, At: at, Source: c.source, Suppressed: suppressed})
}

// announced reports whether the entry policy announces a join that is not the first.
func announced(row *table.Bucket, prior *Stay, at table.Instant) bool {
	switch row.EntryLimit {
	case table.Once:
		return false
	case table.OncePerPeriod:
		return at.Sub(prior.LeftAt) >= row.EntryPeriod
	default:
		return true
	}
}

// replace makes a stay the latest of its bucket. What the session did to the prior stay is kept
// among the finished ones.
func (s *Session) replace(prior *Stay, stay Stay) {
	if prior == nil {
		s.state.Stays = append(s.state.Stays, stay)
		return
	}
	if prior.Blocked { // joining ends a block
		prior.Blocked = false
		prior.changed |= amended
	}
	if prior.changed != untouched {
		s.finished = append(s.finished, changeOf(prior))
	}
	*prior = stay
}

// leave closes a stay. Leaves are announced, except by a silent deployment and by a merge.
func (s *Session) leave(stay *Stay, at table.Instant, c *cause, reason bucketgen.Reason) {
	stay.LeftAt = at
	stay.Reason = reason
	stay.changed |= closed
	s.transition(Transition{
		Bucket: stay.Bucket, Kind: bucketgen.Left, EntryCount: stay.EntryCount, At: at, Source: c.source, Reason: reason, Suppressed: c.silentLeaves,
	})
}

func (s *Session) transition(t Transition) {
	t.DecidedAt, t.Life = s.now, s.state.Contact.Life
	s.changes.Transitions = append(s.changes.Transitions, t)
}

// tick sends the ticks of a stay that are due. Of each it sends the last only, with its number:
// those before it were missed.
func (s *Session) tick(e *evaluation, at table.Instant, c *cause) {
	stay := s.activeStay(e)
	if !e.clock || stay == nil || len(e.row.Ticks) == 0 {
		return
	}
	if c.skipTicks {
		stay.skipTicks(e.row, at)
		return
	}
	upTo := max(at, min(c.missedUpTo, undisturbed(e, stay)))
	var due []Transition
	for _, t := range e.row.Ticks {
		if n := dwellCount(t, stay, upTo); n > 0 {
			due = append(due, Transition{
				Bucket: e.bucket, Kind: bucketgen.Dwell, EntryCount: stay.EntryCount, At: stay.anchor().AddTimes(int64(n), t.Span),
				Source: c.source, Tick: t.Label, DwellCount: n,
			})
		}
	}
	if len(due) == 0 {
		return
	}
	slices.SortStableFunc(due, func(a, b Transition) int { return cmp.Compare(a.At, b.At) })
	for _, t := range due {
		s.transition(t)
	}
	stay.TickedAt = upTo
	stay.changed |= amended
}

// skipTicks marks the ticks that are due by an instant as done, without sending them.
func (s *Stay) skipTicks(row *table.Bucket, at table.Instant) {
	if slices.ContainsFunc(row.Ticks, func(t table.Tick) bool { return dwellCount(t, s, at) > 0 }) {
		s.TickedAt = at
		s.changed |= amended
	}
}

// undisturbed returns the last instant before something other than a tick can happen to the stay.
func undisturbed(e *evaluation, stay *Stay) table.Instant {
	end := e.verdict.Until
	if !e.verdict.True {
		end = stay.EnteredAt.Add(e.row.MinDwell)
	}
	if e.row.MaxDwell > 0 {
		end = min(end, stay.EnteredAt.Add(e.row.MaxDwell))
	}
	return end - 1
}

// dwellCount returns the number of the last tick that is due by an instant and was not sent, or 0.
func dwellCount(t table.Tick, stay *Stay, upTo table.Instant) int {
	n := int(upTo.Periods(stay.anchor(), t.Span))
	if !t.Every {
		n = min(n, 1)
	}
	if n < 1 || stay.anchor().AddTimes(int64(n), t.Span) <= stay.TickedAt {
		return 0
	}
	return n
}

// nextTick returns the first tick of the stay after an instant, or Never.
func (s *Stay) nextTick(row *table.Bucket, after table.Instant) table.Instant {
	next, from := table.Never, s.anchor()
	for _, t := range row.Ticks {
		n := max(after.Periods(from, t.Span)+1, 1)
		if t.Every || n == 1 {
			next = min(next, from.AddTimes(n, t.Span))
		}
	}
	return next
}
