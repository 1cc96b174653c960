package refeval

import (
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// run does what a step says.
func (w *world) run(s *Action) StepResult {
	switch s.Op {
	case Ingest:
		return w.ingest(s)
	case Add, Remove:
		return w.change(s)
	case Delete:
		if u := w.users[w.name(s.User)]; u != nil {
			u.settleBefore(s.At)
			u.deleted = true
		}
	case Restore:
		if u := w.users[w.name(s.User)]; u != nil && u.deleted {
			u.settleBefore(s.At) // nothing happens to the deleted, but time goes on
			u.deleted = false
			u.everything(s.At, "reconcile")
		}
	case Merge:
		return w.merge(s)
	case Erase:
		w.erase(w.name(s.User))
	case Deploy:
		w.deploy(s)
	case Pause:
		return w.pause(s)
	case Resume:
		return w.resume(s)
	case Settle, Fire:
		w.settle(s.At)
	}
	return StepResult{}
}

// ingest is §6 of the contract.
func (w *world) ingest(s *Action) StepResult {
	given, why := refuse(s)
	if why != "" {
		return StepResult{Refused: why}
	}
	u, created := w.user(w.subject(s), s.At)
	u.settleBefore(s.At)
	if s.Key != "" {
		if u.keys[s.Key] {
			return StepResult{Duplicate: true, Merged: w.joined}
		}
		u.keys[s.Key] = true
	}
	occurred := s.OccurredAt.Truncate(micro)
	if s.OccurredAt.IsZero() || occurred.After(s.At) {
		occurred = s.At
	}
	if s.Name != "" {
		u.facts.Events = append(u.facts.Events, Event{s.Name, occurred, given.properties})
	}
	u.heard = s.At
	if u.deleted {
		return StepResult{Merged: w.joined}
	}
	carried := map[string]bool{}
	for key, value := range given.once {
		_, isGiven := given.traits[key]
		_, has := u.facts.Properties[key]
		if value != nil && !isGiven && !has {
			u.set(key, value, occurred)
			carried[key] = true
		}
	}
	for key, value := range given.traits {
		u.set(key, value, occurred)
		carried[key] = true
	}
	for key, value := range given.properties {
		if w.declared[key] && !w.traitsOnly[key] && !s.TraitsOnly {
			u.set(key, value, occurred)
			carried[key] = true
		}
	}
	u.evaluateSome(s.At, "event", func(d *ir.Definition) bool {
		return Asks(d.Criteria, s.Name, carried) || created && u.isFor(d)
	})
	return StepResult{Merged: w.joined}
}

// Asks reports whether a criteria asks about an event, or about one of several properties.
func Asks(n *ir.Node, event string, properties map[string]bool) bool {
	return slices.ContainsFunc(leaves(n), func(leaf *ir.Node) bool {
		return leaf.Event != nil && leaf.Event.Name == event || leaf.Sequence != nil && asksOf(leaf.Sequence, event) ||
			leaf.Property != nil && properties[leaf.Property.Name]
	})
}

// isFor reports whether a bucket is for the user if nothing is known of them. None of them has a
// horizon: there is no instant from which one could be counted.
func (u *user) isFor(d *ir.Definition) bool {
	return d.Criteria != nil && (d.Anonymous || !u.visitor()) && Holds(d.Criteria, &Facts{User: u.name}, time.Unix(0, 0))
}

// change is Add or Remove.
func (w *world) change(s *Action) StepResult {
	d := w.definition(s.Bucket)
	switch {
	case d == nil:
		return StepResult{Refused: "there is no such bucket"}
	case d.Kind != ir.Manual:
		return StepResult{Refused: "only its criteria changes a dynamic bucket"}
	case w.frozen(d):
		return StepResult{Refused: "the bucket is paused"}
	case s.Op == Add && !d.Anonymous && visitor(w.name(s.User)):
		return StepResult{Refused: "the bucket excludes anonymous contacts"}
	}
	u, known := w.users[w.name(s.User)]
	switch {
	case known && u.deleted:
		return StepResult{Refused: "the user is deleted"}
	case !known && s.Op == Remove:
		return StepResult{} // who is not known is not in the bucket
	}
	u, created := w.user(s.User, s.At)
	u.settleBefore(s.At)
	if created {
		u.evaluateSome(s.At, "manual", u.isFor)
	}
	u.follow(s.At, "manual", func() {
		switch stay := u.active(d.ID); {
		case s.Op == Add && stay == nil:
			u.join(d, s.At, "manual")
		case s.Op == Remove && stay != nil:
			u.leave(d, s.At, "manual", "manual")
		}
	})
	return StepResult{}
}

// user returns the user of a name, who is created if need be.
func (w *world) user(name string, at time.Time) (u *user, created bool) {
	name = w.name(name)
	if u := w.users[name]; u != nil {
		return u, false
	}
	facts := Facts{User: name, Properties: map[string]any{}, Changes: map[string]Change{}, Members: map[string]bool{}}
	u = &user{world: w, name: name, created: at, facts: facts, dates: map[string]dates{}, keys: map[string]bool{}, stays: map[string][]*stay{}}
	w.users[name] = u
	return u, true
}
