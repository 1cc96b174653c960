package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// explain finds the deviations that account for everything that the peer did to a pair.
//
// It walks through the steps with the state of the peer, and compares what the peer did in each
// with the result of our rules from that state. Where they differ, a deviation must be the reason.
// So a difference explains itself and nothing after it. If nothing differs, the peer follows our
// rules, but only at steps: then the only difference is that our clock is exact.
func (s *scene) explain(bucket, user string, peer [][]act) (deviations, error) {
	e := explanation{scene: s, bucket: bucket, user: user, peer: peer, found: deviations{}, stale: deviations{}}
	for i := range s.vector.Steps {
		if err := e.step(i, peer[i]); err != nil {
			return nil, err
		}
	}
	return e.found, nil
}

type explanation struct {
	*scene
	bucket   string
	user     string
	peer     [][]act        // what the peer did in each step
	d        *ir.Definition // what the bucket is now, or nil
	state    state
	found    deviations
	stale    deviations // why the peer is not where it should be
	deferred bool       // a leave was, by minDwell
}

func (e *explanation) step(i int, did []act) error {
	e.d = e.definition(e.bucket, i)
	due := e.due(i, deviations{})
	why, explained := e.difference(i, did, due)
	paused := e.paused(e.bucket, i)
	if paused && len(did) == 0 {
		why, explained = deviations{}, true
	}
	if !explained {
		return fmt.Errorf("in step %d the peer did\n%s  and by our rules should have done\n%s", i, lines(did), lines(due))
	}
	if paused && len(did) > 0 { // we would have done nothing
		why.add(NothingIsLost)
	}
	e.found.add(why.sorted()...)
	if e.d == nil || e.d.Disabled {
		return nil // the criteria is not evaluated in this step
	}
	truth := e.d.Criteria != nil && e.holds(e.d, e.user, i, deviations{})
	e.state = e.state.follow(did, due, truth)
	e.deferred = e.state.member && !truth && e.v(i).At.Before(e.state.entered.Add(e.d.MinDwell)) || e.deferred && e.state.member && !truth
	if e.state.member == truth {
		e.stale = deviations{}
	} else {
		e.stale.add(why.sorted()...)
	}
	return nil
}

func (e *explanation) due(i int, with deviations) []act {
	return e.predict(e.bucket, e.user, e.state, i, with)
}

func (e *explanation) v(i int) *Action { return &e.vector.Steps[i] }

// difference says why the peer did something else than was due.
func (e *explanation) difference(i int, did, due []act) (deviations, bool) {
	for _, reading := range allReadings { // the empty one first: nothing to explain
		if slices.EqualFunc(did, e.due(i, reading), same) {
			return maps.Clone(reading), true
		}
	}
	for _, reading := range allReadings {
		due := e.due(i, reading)
		if !slices.EqualFunc(did, due, sameButEmission) {
			continue
		}
		if why, explained := e.emission(i, did, due); explained {
			why.add(reading.sorted()...)
			return why, true
		}
	}
	why := deviations{}
	for _, a := range without(due, did) {
		if cause := e.absent(i, a); len(cause) > 0 {
			why.add(cause...)
			continue
		}
		return nil, false
	}
	for _, a := range without(did, due) {
		if cause := e.surplus(i, a); len(cause) > 0 {
			why.add(cause...)
			continue
		}
		return nil, false
	}
	return why, len(why) > 0
}

func same(a, b act) bool { return a.emitted == b.emitted && sameButEmission(a, b) }

func sameButEmission(a, b act) bool {
	return a.kind == b.kind && a.entryCount == b.entryCount && a.source == b.source && a.reason == b.reason && a.dwellCount == b.dwellCount
}

// without returns those acts that the others do not hold.
func without(acts, others []act) []act {
	others = slices.Clone(others)
	var rest []act
	for _, a := range acts {
		if i := slices.IndexFunc(others, func(b act) bool { return sameButEmission(a, b) }); i >= 0 {
			others = slices.Delete(others, i, i+1)
		} else {
			rest = append(rest, a)
		}
	}
	return rest
}

// emission says why the peer did not emit what it did. That it emits what the entry policy
// suppresses is never right.
func (e *explanation) emission(i int, did, due []act) (deviations, bool) {
	why := deviations{}
	for n, a := range did {
		if a.emitted == due[n].emitted {
			continue
		}
		switch {
		case a.emitted:
			return nil, false
		case e.forged(i, a):
			why.add(Reserved)
		case e.pushFails(i, a):
			why.add(NothingIsLost)
		default:
			return nil, false
		}
	}
	return why, true
}

// forged reports whether an event had used the key of a transition.
func (e *explanation) forged(upTo int, a act) bool {
	key := fmt.Sprintf("bucket:%s:%s:%s:%d", e.bucket, e.user, a.kind, a.entryCount)
	return slices.ContainsFunc(e.vector.Steps[:upTo], func(s Action) bool { return s.Op == "event" && s.IdempotencyKey == key })
}

// pushFails reports whether the push of a transition fails.
func (e *explanation) pushFails(i int, a act) bool {
	prefix := e.failing(i)
	return prefix != "" && strings.HasPrefix(fmt.Sprintf("bucket:%s:%s", a.kind, e.bucket), prefix)
}

// absent says why the peer did not do something that was due.
func (e *explanation) absent(i int, a act) []Deviation {
	s := e.v(i)
	switch {
	case e.pushFailed(i): // the peer goes no further then
		return []Deviation{PushApart}
	case e.failing(i) != "": // a push that fails keeps the peer from what comes after it
		return []Deviation{NothingIsLost}
	case s.ingests() && !e.asked(e.d, i):
		return []Deviation{Newcomers}
	case s.Op == "contact_update":
		return []Deviation{TraitUpdates}
	case s.Op == "redefine" && e.backfilled(i, a):
		return []Deviation{DeployInstant}
	case s.Op == "redefine":
		return []Deviation{NoBackfill}
	case s.Op == "backfill" && len(e.stale) == 0:
		return []Deviation{ExactClock} // only time can have made it due
	case s.Op == "backfill":
		return e.stale.sorted()
	case s.Op == "fire_timers":
		return []Deviation{Deferrals} // the peer's timers are spent when they find a member
	case s.Op != "reconcile":
		return nil
	case a.kind == "dwell" && a.dwellCount <= e.state.ticked[a.tick]:
		return []Deviation{TickKeys}
	case a.kind == "dwell":
		return []Deviation{e.clock(i)}
	case len(e.stale) > 0:
		return e.stale.sorted()
	case a.kind == "entered":
		return []Deviation{e.clock(i)}
	case a.reason == "criteria" && e.deferred:
		return []Deviation{Deferrals}
	default:
		return []Deviation{ExactClock}
	}
}

// backfilled reports whether a backfill did for the peer what was due at a redefinition, before the
// bucket was redefined again.
func (e *explanation) backfilled(redefinition int, due act) bool {
	for i := redefinition + 1; i < len(e.vector.Steps); i++ {
		s := e.v(i)
		if s.Op == "redefine" && e.redefines(e.bucket, i) {
			return false
		}
		if s.Op == "backfill" && s.Bucket == e.bucket && slices.ContainsFunc(e.peer[i], func(did act) bool { return sameButEmission(did, due) }) {
			return true
		}
	}
	return false
}

// clock says why the peer's clock does nothing about joins and ticks: it waits for a backfill, or
// it just does not.
func (e *explanation) clock(upTo int) Deviation {
	backfilled := slices.ContainsFunc(e.vector.Steps[:upTo], func(s Action) bool { return s.Op == "backfill" && s.Bucket == e.bucket })
	if backfilled {
		return ExactClock
	}
	return NoBackfill
}

// surplus says why the peer did something that was not due.
func (e *explanation) surplus(i int, a act) []Deviation {
	switch {
	case e.deleted(e.user, i):
		return []Deviation{NothingIsLost}
	case a.kind == "left" && e.hasty(i, a) && e.v(i).Op == "backfill":
		return []Deviation{Deferrals}
	case a.kind == "left" && e.hasty(i, a):
		return []Deviation{ClockDefers}
	case a.kind == "dwell" && e.possible(i, a):
		return []Deviation{ExactClock} // of ticks that were missed, the peer's last has another number
	default:
		return nil
	}
}

// hasty reports whether a backfill, a timer or the reconciliation made a user leave before the
// minimal dwell was over.
func (e *explanation) hasty(i int, a act) bool {
	return e.leaves(i, a.source) && a.reason == "criteria" && a.entryCount == e.state.stays && e.state.member && e.d != nil &&
		e.v(i).At.Before(e.state.entered.Add(e.d.MinDwell)) && !e.holds(e.d, e.user, i, deviations{})
}

// leaves reports whether a step other than an event makes users leave, and calls it by a source.
func (e *explanation) leaves(i int, source string) bool {
	switch s := e.v(i); s.Op {
	case "backfill":
		return s.Bucket == e.bucket && source == "backfill"
	case "fire_timers":
		return e.d != nil && e.d.FastExpiry && source == "reconcile"
	default:
		return s.Op == source // reconcile
	}
}

// possible reports whether a stay has lasted long enough for a tick.
func (e *explanation) possible(i int, a act) bool {
	lasted := e.v(i).At.Sub(e.state.entered)
	return e.state.member && e.d != nil && a.source == "reconcile" && slices.ContainsFunc(e.d.Ticks, func(t ir.Tick) bool {
		return a.dwellCount >= 1 && int(lasted/t.Span) >= a.dwellCount
	})
}
