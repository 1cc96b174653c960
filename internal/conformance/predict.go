package conformance

import (
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
)

// state is where the peer has a pair.
type state struct {
	member        bool
	entered, left time.Time
	stays         int
	blocked       bool           // left by maxDwell, and not evaluated with a failing criteria since
	ticks         map[string]int // the last number of each tick in this stay
	ticked        map[string]int // and in any
}

// predict returns what our rules make of a step, from the peer's state and with deviations in what
// is known: what we would do if we, too, acted in steps only.
func (s *scene) predict(bucket, user string, from state, i int, with deviations) []act {
	d := s.definition(bucket, i)
	if d == nil || d.Disabled || d.Kind != ir.Dynamic || s.deleted(user, i) || !s.known(user, i, with) {
		return nil
	}
	source := s.source(d, user, i, with)
	if s.vector.Steps[i].Op == "fire_timers" && d.FastExpiry && from.member {
		source = "reconcile" // a timer does what the clock does
	}
	if source == "" {
		return nil
	}
	p := prediction{d: d, state: from, now: s.vector.Steps[i].At, source: source}
	truth := s.holds(d, user, i, with)
	if source != "event" {
		p.expire(truth)
	}
	p.follow(truth)
	if source == "reconcile" {
		p.tick()
	}
	return p.acts
}

// source returns the source that a step is for a bucket and a user, or nothing if it is no reason
// to evaluate. A redefinition here corresponds to the peer's backfill, if there is one.
func (s *scene) source(d *ir.Definition, user string, i int, with deviations) string {
	step := &s.vector.Steps[i]
	switch {
	case step.Op == "reconcile":
		return "reconcile"
	case step.Op == "backfill" && step.Bucket == d.ID, step.Op == "redefine" && s.redefines(d.ID, i):
		return "backfill"
	case s.evaluates(d, user, i, with):
		return "event"
	default:
		return ""
	}
}

// evaluates reports whether an ingest is a reason to evaluate a bucket.
func (s *scene) evaluates(d *ir.Definition, user string, i int, with deviations) bool {
	step := &s.vector.Steps[i]
	if !step.ingests() || step.subject() != user || strings.HasPrefix(step.Name, "bucket:") || s.refused(i, with) || s.dropped(i, with) {
		return false
	}
	return s.asked(d, i) || i == 0 || !s.known(user, i-1, deviations{})
}

func (s *scene) asked(d *ir.Definition, i int) bool {
	return refeval.Asks(d.Criteria, s.vector.Steps[i].Name, s.vector.Steps[i].carried())
}

type prediction struct {
	d      *ir.Definition
	state  state
	now    time.Time
	source string
	acts   []act
}

func (p *prediction) expire(truth bool) {
	if p.state.member && p.d.MaxDwell > 0 && !p.now.Before(p.state.entered.Add(p.d.MaxDwell)) {
		p.leave("maxDwell")
		p.state.blocked = truth
	}
}

func (p *prediction) follow(truth bool) {
	switch {
	case p.state.member && !truth && !p.now.Before(p.state.entered.Add(p.d.MinDwell)):
		p.leave("criteria")
	case !p.state.member && truth && p.mayJoin():
		p.join()
	}
}

func (p *prediction) mayJoin() bool {
	switch p.source {
	case "event":
		return true
	case "backfill":
		return !p.state.blocked
	default:
		return !p.state.blocked && (p.d.ReconcileJoins == nil || *p.d.ReconcileJoins)
	}
}

func (p *prediction) leave(reason string) {
	p.acts = append(p.acts, act{kind: "left", entryCount: p.state.stays, source: p.source, reason: reason, emitted: true})
	p.state.member = false
}

func (p *prediction) join() {
	emitted := p.source != "backfill"
	switch {
	case p.state.stays == 0 || !emitted:
	case p.d.EntryLimit == ir.Once:
		emitted = false
	case p.d.EntryLimit == ir.OncePerPeriod:
		emitted = p.now.Sub(p.state.left) >= p.d.EntryPeriod
	}
	p.acts = append(p.acts, act{kind: "entered", entryCount: p.state.stays + 1, source: p.source, emitted: emitted})
	p.state = state{member: true, entered: p.now, stays: p.state.stays + 1}
}

func (p *prediction) tick() {
	if !p.state.member {
		return
	}
	for _, t := range p.d.Ticks {
		n := int(p.now.Sub(p.state.entered) / t.Span)
		if !t.Every {
			n = min(n, 1)
		}
		if n > p.state.ticks[label(t)] {
			p.acts = append(p.acts, act{kind: "dwell", entryCount: p.state.stays, source: p.source, dwellCount: n, emitted: true, tick: label(t)})
		}
	}
}

// follow returns the peer's state after what it did. What was due and did not come is not waited
// for.
func (from state) follow(did, due []act, truth bool) state {
	to := from
	for _, a := range did {
		switch a.kind {
		case "entered":
			to = state{member: true, entered: a.at, stays: a.entryCount, left: from.left, ticked: from.ticked}
		case "left":
			to.member, to.left, to.blocked = false, a.at, a.reason == "maxDwell"
		}
	}
	for _, a := range due {
		if a.kind == "dwell" && to.member {
			to.ticks = put(to.ticks, a.tick, a.dwellCount)
			to.ticked = put(to.ticked, a.tick, max(a.dwellCount, to.ticked[a.tick]))
		}
	}
	to.blocked = to.blocked && truth
	return to
}

func put(m map[string]int, key string, n int) map[string]int {
	copied := map[string]int{key: n}
	for k, v := range m {
		if k != key {
			copied[k] = v
		}
	}
	return copied
}
