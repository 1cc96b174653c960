package refeval

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Emit selects the joins and leaves by a change of definitions that are announced.
type Emit string

// What may be announced. Unless a deploy says otherwise, it is the leaves.
const (
	Silent Emit = "silent" // nothing
	Leaves Emit = "leaves"
	All    Emit = "all"
)

// backfill is the source of whatever a change of definitions brings about.
const backfill = "backfill"

// deploy replaces the definitions. All users are evaluated for new and changed ones; a bucket that
// is no longer defined does not change. Deploying what is deployed changes nothing, not even later
// announcements.
func (w *world) deploy(s *Action) {
	w.settle(s.At.Add(-micro)) // by the definitions that were
	changed := Changed(w.file, s.Definitions)
	if len(changed)+len(Changed(s.Definitions, w.file)) > 0 {
		w.emit = s.Emit
	}
	w.define(s.Definitions)
	for _, u := range w.users {
		u.redefine(s.At, func(d *ir.Definition) bool { return slices.Contains(changed, d.ID) }, false)
	}
}

// pause freezes a bucket, whatever its later definitions.
func (w *world) pause(s *Action) StepResult {
	if w.definition(s.Bucket) == nil {
		return StepResult{Refused: "there is no such bucket"}
	}
	w.settle(s.At.Add(-micro))
	w.paused[s.Bucket] = true
	return StepResult{}
}

// resume undoes pause. Transitions that the pause delayed happen now, as if the bucket had changed,
// except that missed ticks are not lost.
func (w *world) resume(s *Action) StepResult {
	if w.definition(s.Bucket) == nil {
		return StepResult{Refused: "there is no such bucket"}
	}
	w.settle(s.At.Add(-micro))
	if !w.paused[s.Bucket] {
		return StepResult{}
	}
	delete(w.paused, s.Bucket)
	for _, u := range w.users {
		u.redefine(s.At, func(d *ir.Definition) bool { return d.ID == s.Bucket }, true)
	}
	return StepResult{}
}

// frozen reports whether nothing moves in a bucket. Its members stay what they are, also for
// buckets that ask about them.
func (w *world) frozen(d *ir.Definition) bool { return d.Disabled || w.paused[d.ID] }

// redefine evaluates the buckets that changed or were resumed, and those that ask about them. Only
// in the former it applies what time alone does. Ticks that are due by now are skipped, unless the
// bucket was resumed.
func (u *user) redefine(t time.Time, changed func(*ir.Definition) bool, resumed bool) {
	if u.deleted {
		return
	}
	before := maps.Clone(u.facts.Members)
	for _, level := range u.world.levels {
		candidates := u.concerned(level, before, changed)
		own := slices.DeleteFunc(slices.Clone(candidates), func(d *ir.Definition) bool { return !changed(d) })
		u.expire(own, t, backfill)
		stays := maps.Clone(u.facts.Members)
		u.evaluate(candidates, t, backfill)
		for _, d := range candidates {
			if joined := u.facts.Members[d.ID] && !stays[d.ID]; joined && !resumed && len(d.Ticks) > 0 {
				u.anchor(d, t)
			}
		}
		for _, d := range own {
			if resumed {
				u.tick(d, t, backfill)
			} else if !u.world.frozen(d) && len(u.ticksDue(d, t, backfill)) > 0 {
				u.active(d.ID).ticked = t
			}
		}
	}
}

// anchor makes the ticks of a user who joins by a deployment count from the instant since which the
// criteria holds, if that is known. Earlier ones do not belong to this stay.
func (u *user) anchor(d *ir.Definition, t time.Time) {
	since, known := heldSince(d.Criteria, true, &u.facts, t)
	if s := u.active(d.ID); known && since.Before(t) {
		s.anchor, s.ticked = since, t
	}
}

// Changed returns the ids of those buckets of some definitions that others do not have, or that
// mean something else there.
func Changed(from, to *ir.File) []string {
	meanings := map[string]string{}
	for i := range from.Definitions {
		meanings[from.Definitions[i].ID] = meaning(from, &from.Definitions[i])
	}
	var changed []string
	for i := range to.Definitions {
		d := &to.Definitions[i]
		if before, known := meanings[d.ID]; !known || before != meaning(to, d) {
			changed = append(changed, d.ID)
		}
	}
	return changed
}

// meaning returns whatever decides over who is in a bucket and what is emitted for it, as text.
func meaning(f *ir.File, d *ir.Definition) string {
	words := *d
	words.GoName, words.Doc, words.Pos, words.Name, words.Description, words.Problems = "", "", ir.Pos{}, "", "", nil
	words.TimeBased, words.ReconcileEvery, words.FastExpiry = nil, 0, false
	if words.EntryLimit == ir.Unlimited {
		words.EntryLimit = ""
	}
	if words.ReconcileJoins != nil && *words.ReconcileJoins {
		words.ReconcileJoins = nil
	}
	words.Ticks = slices.Clone(d.Ticks)
	for i := range words.Ticks {
		words.Ticks[i].Pos = ir.Pos{}
	}
	words.Criteria = unplaced(d.Criteria)
	var asked []ir.Property // what is said of them elsewhere
	for _, p := range f.Properties {
		p.GoName, p.Doc, p.Pos = "", "", ir.Pos{}
		if Asks(d.Criteria, "", map[string]bool{p.Name: true}) {
			asked = append(asked, p)
		}
	}
	text, err := json.Marshal([]any{words, asked})
	if err != nil {
		panic(err) // plain data
	}
	return string(text)
}

// unplaced returns a criteria without the places in which it was written.
func unplaced(n *ir.Node) *ir.Node {
	if n == nil {
		return nil
	}
	copied := *n
	copied.Pos, copied.Problems, copied.Children = ir.Pos{}, nil, nil
	for _, child := range n.Children {
		copied.Children = append(copied.Children, unplaced(child))
	}
	if n.Event != nil {
		event := *n.Event
		event.Filter = unplaced(event.Filter)
		copied.Event = &event
	}
	if n.Sequence != nil {
		sequence := *n.Sequence
		sequence.Steps = slices.Clone(sequence.Steps)
		for i := range sequence.Steps {
			sequence.Steps[i].Pos, sequence.Steps[i].Filter = ir.Pos{}, unplaced(sequence.Steps[i].Filter)
		}
		copied.Sequence = &sequence
	}
	return &copied
}
