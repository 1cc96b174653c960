package decide

import (
	"cmp"
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/registry"
)

// join opens a stay. Whether that is announced is up to the entry policy; the stay and its epoch are real either way.
func (s *Session) join(b registry.Index, at registry.Instant, c cause) {
	row := &s.registry.Buckets[b]
	prior := s.state.stay(b)
	if !s.state.knows(b) {
		s.lackStay(b)
		s.foresee(b, at)
		return
	}
	stay := Stay{Bucket: b, Epoch: 1, EnteredAt: at, LeftAt: registry.Unset, AnchorAt: registry.Unset, TickedAt: registry.Unset, Source: c.source, fate: opened}
	if c.anchor && len(row.Ticks) > 0 && row.Kind == registry.Dynamic {
		if since := s.registry.HoldsSince(b, s.state.Facts, at); since < at {
			stay.AnchorAt, stay.TickedAt = since, at // what would have come before is none of this stay
		}
	}
	suppressed := c.silentJoins
	if prior != nil && prior.Epoch > 0 {
		stay.Epoch = prior.Epoch + 1
		suppressed = suppressed || !announced(row, prior, at)
	}
	s.replace(prior, stay)
	s.transition(Transition{Bucket: b, Kind: bucketgen.Entered, Epoch: stay.Epoch, At: at, Source: c.source, Suppressed: suppressed})
}

// announced reports whether the entry policy lets a join that is not the first be announced.
func announced(row *registry.Bucket, prior *Stay, at registry.Instant) bool {
	switch row.EntryLimit {
	case registry.Once:
		return false
	case registry.OncePerPeriod:
		return at.Sub(prior.LeftAt) >= row.EntryPeriod
	default:
		return true
	}
}

// replace makes a stay the latest of its bucket. What the session did to the one before is kept.
func (s *Session) replace(prior *Stay, stay Stay) {
	if prior == nil {
		s.state.Stays = append(s.state.Stays, stay)
		return
	}
	if prior.Blocked { // joining ends a block
		prior.Blocked = false
		prior.fate |= amended
	}
	if prior.fate != untouched {
		s.finished = append(s.finished, changeOf(prior))
	}
	*prior = stay
}

// leave closes a stay. That is always announced, unless it follows from a change of definitions that is to be silent.
func (s *Session) leave(stay *Stay, at registry.Instant, c cause, reason bucketgen.Reason) {
	stay.LeftAt = at
	stay.Reason = reason
	stay.fate |= closed
	s.transition(Transition{
		Bucket: stay.Bucket, Kind: bucketgen.Left, Epoch: stay.Epoch, At: at, Source: c.source, Reason: reason, Suppressed: c.silentLeaves,
	})
}

func (s *Session) transition(t Transition) {
	t.DecidedAt = s.now
	s.changes.Transitions = append(s.changes.Transitions, t)
}

// tick announces that a stay has lasted. Of each tick only the last that is due is sent: it carries its ordinal, and
// those before it were missed.
func (s *Session) tick(l *glance, at registry.Instant, c cause) {
	stay := s.lasting(l)
	if !l.clock || stay == nil || len(l.row.Ticks) == 0 {
		return
	}
	if c.skipTicks {
		stay.skipTicks(l.row, at)
		return
	}
	upTo := max(at, min(c.upTo, s.undisturbed(l, stay)))
	var due []Transition
	for _, t := range l.row.Ticks {
		if n := ordinal(t, stay, upTo); n > 0 {
			due = append(due, Transition{
				Bucket: l.bucket, Kind: bucketgen.Dwell, Epoch: stay.Epoch, At: stay.anchor().AddTimes(int64(n), t.Span),
				Source: c.source, Label: t.Label, Ordinal: n,
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
	stay.fate |= amended
}

// skipTicks lets whatever ticks are due by an instant go by.
func (s *Stay) skipTicks(row *registry.Bucket, at registry.Instant) {
	if slices.ContainsFunc(row.Ticks, func(t registry.Tick) bool { return ordinal(t, s, at) > 0 }) {
		s.TickedAt = at
		s.fate |= amended
	}
}

// undisturbed returns the last instant before anything but a tick can happen to the stay.
func (s *Session) undisturbed(l *glance, stay *Stay) registry.Instant {
	end := l.verdict.Until
	if !l.verdict.True {
		end = stay.EnteredAt.Add(l.row.MinDwell)
	}
	if l.row.MaxDwell > 0 {
		end = min(end, stay.EnteredAt.Add(l.row.MaxDwell))
	}
	return end - 1
}

// ordinal returns the number of the last tick that is due by an instant and not done yet, or 0.
func ordinal(t registry.Tick, stay *Stay, upTo registry.Instant) int {
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
func (s *Stay) nextTick(row *registry.Bucket, after registry.Instant) registry.Instant {
	next, from := registry.Never, s.anchor()
	for _, t := range row.Ticks {
		n := max(after.Periods(from, t.Span)+1, 1)
		if t.Every || n == 1 {
			next = min(next, from.AddTimes(n, t.Span))
		}
	}
	return next
}
