package refeval

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// user is one user of a world.
type user struct {
	world   *world
	name    string
	facts   Facts
	deleted bool
	dates   map[string]dates   // of declared properties
	keys    map[string]bool    // that were used
	stays   map[string][]*stay // by bucket, in the order of entry counts
	done    time.Time          // the clock has done everything up to here
	created time.Time          // when the user came to be
	heard   time.Time          // when the last event arrived; zero if none did
	expired bool
}

type stay struct {
	entryCount    int
	entered, left time.Time
	source        string
	reason        string
	blocked       bool      // left by maxDwell, and the criteria held at each evaluation since
	anchor        time.Time // from which ticks count
	ticked        time.Time // ticks up to here are done
}

// settleBefore lets the clock do everything before an instant.
func (u *user) settleBefore(t time.Time) { u.settle(t.Add(-micro)) }

// settle applies the clock up to an instant, by evaluating everything at every instant at which a
// transition is conceivable.
func (u *user) settle(upTo time.Time) {
	for !u.expired {
		t := u.next()
		if end := u.expiry(); !end.IsZero() && !end.After(upTo) && (t.IsZero() || !end.After(t)) {
			u.end(end)
			return
		}
		if t.IsZero() || t.After(upTo) {
			break
		}
		u.everything(t, "clock")
		u.done = t
	}
	if upTo.After(u.done) {
		u.done = upTo
	}
}

// next returns the next instant at which something could conceivably happen, if there is one.
func (u *user) next() time.Time {
	var next time.Time
	for i := range u.world.definitions {
		for _, t := range u.instants(&u.world.definitions[i]) {
			if t.After(u.done) && (next.IsZero() || t.Before(next)) {
				next = t
			}
		}
	}
	return next
}

func (u *user) instants(d *ir.Definition) []time.Time {
	var all []time.Time
	if d.Criteria != nil {
		all = Instants(d.Criteria, &u.facts)
	}
	s := u.active(d.ID)
	if s == nil {
		return all
	}
	all = append(all, s.entered.Add(d.MinDwell), s.entered.Add(d.MaxDwell))
	for _, tick := range d.Ticks {
		next := tick.Span
		if passed := u.done.Sub(s.anchor); tick.Every && passed > 0 {
			next = passed - passed%tick.Span + tick.Span
		}
		all = append(all, s.anchor.Add(next))
	}
	return all
}

// active returns the stay by which the user is in a bucket, or nil.
func (u *user) active(bucket string) *stay {
	if s := u.latest(bucket); s != nil && s.left.IsZero() {
		return s
	}
	return nil
}

func (u *user) latest(bucket string) *stay {
	stays := u.stays[bucket]
	if len(stays) == 0 {
		return nil
	}
	return stays[len(stays)-1]
}

// everything evaluates all buckets, for no cause of the user's own. Buckets come after those that
// they ask about. The order otherwise is that of the contract: maximal dwell, leaves, joins, ticks,
// and within each of them by the ids of the buckets.
func (u *user) everything(t time.Time, source string) {
	if u.deleted {
		return
	}
	for _, level := range u.world.levels {
		u.allOf(level, t, source)
	}
}

func (u *user) allOf(level []*ir.Definition, t time.Time, source string) {
	u.expire(level, t, source)
	u.evaluate(level, t, source)
	for _, d := range level {
		u.tick(d, t, source)
	}
}

// expire ends the stays that have reached the maximal dwell.
func (u *user) expire(candidates []*ir.Definition, t time.Time, source string) {
	for _, d := range candidates {
		s := u.active(d.ID)
		if u.world.frozen(d) || s == nil || d.MaxDwell == 0 || t.Before(s.entered.Add(d.MaxDwell)) {
			continue
		}
		u.leave(d, t, source, "maxDwell")
		s.blocked = u.holds(d, t)
	}
}

// holds reports whether the criteria of a bucket holds for the user. It never does for an anonymous
// contact, unless the bucket includes those.
func (u *user) holds(d *ir.Definition, t time.Time) bool {
	return d.Criteria != nil && (d.Anonymous || !u.visitor()) && Holds(d.Criteria, &u.facts, t)
}

// evaluateSome evaluates the given buckets, and those that ask about a bucket which the user joins
// or leaves.
func (u *user) evaluateSome(t time.Time, source string, candidate func(*ir.Definition) bool) {
	u.cascade(maps.Clone(u.facts.Members), t, source, candidate)
}

// follow does something that changes memberships, and evaluates the buckets that ask about those.
func (u *user) follow(t time.Time, source string, change func()) {
	before := maps.Clone(u.facts.Members)
	change()
	u.cascade(before, t, source, func(*ir.Definition) bool { return false })
}

func (u *user) cascade(before map[string]bool, t time.Time, source string, candidate func(*ir.Definition) bool) {
	for _, level := range u.world.levels {
		u.evaluate(u.concerned(level, before, candidate), t, source)
	}
}

// concerned returns those buckets of a level that are given, and those that ask about a bucket
// which the user has joined or left.
func (u *user) concerned(level []*ir.Definition, before map[string]bool, candidate func(*ir.Definition) bool) []*ir.Definition {
	return slices.DeleteFunc(slices.Clone(level), func(d *ir.Definition) bool {
		return !candidate(d) && !slices.ContainsFunc(leaves(d.Criteria), func(leaf *ir.Node) bool {
			return leaf.Op == ir.OpMember && before[leaf.Bucket] != u.facts.Members[leaf.Bucket]
		})
	})
}

// evaluate lets the user leave and join buckets by their criteria: first the leaves, then the
// joins.
func (u *user) evaluate(candidates []*ir.Definition, t time.Time, source string) {
	candidates = slices.DeleteFunc(slices.Clone(candidates), func(d *ir.Definition) bool { return d.Kind != ir.Dynamic || u.world.frozen(d) })
	for _, d := range candidates {
		s := u.active(d.ID)
		if s != nil && !u.holds(d, t) && !t.Before(s.entered.Add(d.MinDwell)) {
			u.leave(d, t, source, "criteria")
		}
	}
	for _, d := range candidates {
		s := u.latest(d.ID)
		switch {
		case u.active(d.ID) != nil:
		case !u.holds(d, t):
			if s != nil {
				s.blocked = false
			}
		case source == "event":
			u.join(d, t, source)
		case s != nil && s.blocked:
		case source != "manual" && source != backfill && d.ReconcileJoins != nil && !*d.ReconcileJoins:
		default:
			u.join(d, t, source)
		}
	}
}

func (u *user) join(d *ir.Definition, t time.Time, source string) {
	s := &stay{entryCount: len(u.stays[d.ID]) + 1, entered: t, source: source, anchor: t}
	suppressed := source == backfill && u.world.emit != All
	if before := u.latest(d.ID); before != nil {
		switch d.EntryLimit {
		case ir.Once:
			suppressed = true
		case ir.OncePerPeriod:
			suppressed = suppressed || t.Before(before.left.Add(d.EntryPeriod))
		}
	}
	u.stays[d.ID] = append(u.stays[d.ID], s)
	u.facts.Members[d.ID] = true
	u.happen(Transition{Bucket: d.ID, Kind: "entered", EntryCount: s.entryCount, At: t, Source: source, Suppressed: suppressed})
}

func (u *user) leave(d *ir.Definition, t time.Time, source, reason string) {
	s := u.active(d.ID)
	s.left, s.reason = t, reason
	u.facts.Members[d.ID] = false
	suppressed := source == backfill && u.world.emit == Silent
	u.happen(Transition{Bucket: d.ID, Kind: "left", EntryCount: s.entryCount, At: t, Source: source, Reason: reason, Suppressed: suppressed})
}

// tick announces what of a stay's ticks is due and was not announced. In virtual time that is one
// at a time, except after a deletion or a pause, whose missed ticks come as one.
func (u *user) tick(d *ir.Definition, t time.Time, source string) {
	if u.world.frozen(d) {
		return
	}
	due := u.ticksDue(d, t, source)
	for _, tr := range due {
		u.happen(tr)
	}
	if len(due) > 0 {
		u.active(d.ID).ticked = t
	}
}

// ticksDue returns, of each tick of a stay, the last one that is due, unless it is done.
func (u *user) ticksDue(d *ir.Definition, t time.Time, source string) []Transition {
	s := u.active(d.ID)
	if s == nil {
		return nil
	}
	var due []Transition
	for _, tick := range d.Ticks {
		label, n := "every-"+labelSpan(tick.Span), int(t.Sub(s.anchor)/tick.Span)
		if !tick.Every {
			label, n = "after-"+labelSpan(tick.Span), min(n, 1)
		}
		if at := s.anchor.Add(time.Duration(n) * tick.Span); n > 0 && at.After(s.ticked) {
			due = append(due, Transition{Bucket: d.ID, Kind: "dwell", EntryCount: s.entryCount, At: at, Source: source, Tick: label, DwellCount: n})
		}
	}
	slices.SortStableFunc(due, func(a, b Transition) int { return a.At.Compare(b.At) })
	return due
}

// labelSpan writes a span as a number of the largest unit of which it is a multiple.
func labelSpan(span time.Duration) string {
	ms := span.Milliseconds()
	switch {
	case ms%86_400_000 == 0:
		return fmt.Sprintf("%dd", ms/86_400_000)
	case ms%3_600_000 == 0:
		return fmt.Sprintf("%dh", ms/3_600_000)
	case ms%60_000 == 0:
		return fmt.Sprintf("%dm", ms/60_000)
	case ms%1000 == 0:
		return fmt.Sprintf("%ds", ms/1000)
	default:
		return fmt.Sprintf("%dms", ms)
	}
}

func (u *user) happen(t Transition) {
	t.Step, t.User = u.world.step, u.name
	u.world.transitions = append(u.world.transitions, t)
}
