package conformance

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
)

// judge compares the reference's history of a scenario with the recording. It returns the
// deviations by which they differ, or an error that says what none of them explains.
func judge(v *Vector, r *registered, h *refeval.History) (deviations, error) {
	s := &scene{vector: v, registered: r, history: h}
	found := deviations{}
	if len(r.unruly) > 0 {
		found.add(Rules)
	}
	strangers := v.strangers()
	var problems []error
	for i := range v.Steps {
		if err := s.verdict(i, strangers, found); err != nil {
			problems = append(problems, err)
		}
	}
	peer, err := v.recorded()
	if err != nil {
		return nil, err
	}
	our := ours(h)
	for _, p := range pairs(our, peer) {
		if err := s.pair(p, our[p], peer[p], strangers, found); err != nil {
			problems = append(problems, err)
		}
	}
	s.order(found)
	return found, errors.Join(problems...)
}

// verdict compares whether a step was accepted, and whether it was taken for a duplicate.
func (s *scene) verdict(i int, strangers map[string]bool, found deviations) error {
	step := &s.vector.Steps[i]
	if step.Op != "event" {
		return nil
	}
	refused, failed := s.history.Steps[i].Refused, step.Observed.Error
	switch {
	case (refused != "") == (failed != ""):
	case strangers[step.User] || step.blank():
		found.add(Identities)
	case refused != "" && step.reserved():
		found.add(Reserved)
	case refused != "" && step.OccurredAt.After(step.At):
		found.add(Future)
	case refused != "" && step.unnamed():
		found.add(BlankNames)
	case s.pushFailed(i):
		found.add(PushApart)
	default:
		return fmt.Errorf("step %d: ours refused it because %q, the peer because %q", i, refused, failed)
	}
	if refused != "" || failed != "" {
		return nil
	}
	seen := step.Observed.Stored != nil && !*step.Observed.Stored
	switch duplicate := s.history.Steps[i].Duplicate; {
	case duplicate == seen:
	case strangers[step.User]:
		found.add(Identities)
	case seen && s.usedByOthers(i):
		found.add(NothingIsLost)
	case duplicate && s.freed(i):
		found.add(PushApart)
	default:
		return fmt.Errorf("step %d: that it is a duplicate is %t for us and %t for the peer", i, duplicate, seen)
	}
	return nil
}

// usedByOthers reports whether another user used the key of a step before.
func (s *scene) usedByOthers(i int) bool {
	step := &s.vector.Steps[i]
	return slices.ContainsFunc(s.vector.Steps[:i], func(before Action) bool {
		return before.IdempotencyKey == step.IdempotencyKey && before.User != step.User
	})
}

// pair compares what happened to a pair.
func (s *scene) pair(p pair, our []act, peer [][]act, strangers map[string]bool, found deviations) error {
	if peer == nil {
		peer = make([][]act, len(s.vector.Steps))
	}
	their := slices.Concat(peer...)
	if alike(our, their) {
		return nil
	}
	if s.unruly[p.bucket] {
		return nil
	}
	d := s.latest(p.bucket)
	if d == nil {
		return fmt.Errorf("user %s is in bucket %s, which neither of us has", p.user, p.bucket)
	}
	why, err := s.explain(p.bucket, p.user, peer)
	if err == nil && s.clocked(our, their) {
		why.add(ExactClock)
	}
	if err == nil && len(why) == 0 {
		err = errors.New("no step does")
	}
	if err != nil && strangers[p.user] {
		found.add(Identities)
		return nil
	}
	if err != nil {
		return fmt.Errorf("user %s, %s: no deviation explains the difference\n  ours\n%s  the peer\n%s  %w",
			p.user, refeval.Describe(&ir.File{Definitions: []ir.Definition{*d}}), lines(our), lines(their), err)
	}
	found.add(why.sorted()...)
	return nil
}

// alike reports whether two lists hold the same, whatever the order at one instant.
func alike(a, b []act) bool {
	return slices.EqualFunc(inOrder(a), inOrder(b), func(a, b act) bool { return a.at.Equal(b.at) && same(a, b) })
}

func inOrder(acts []act) []act {
	return slices.SortedFunc(slices.Values(acts), func(a, b act) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.entryCount, b.entryCount), cmp.Compare(a.kind, b.kind), cmp.Compare(a.dwellCount, b.dwellCount))
	})
}

// clocked reports whether our clock did something between the steps that the peer did not do at
// that instant. What was due in a step is explained there.
func (s *scene) clocked(our, their []act) bool {
	return slices.ContainsFunc(our, func(a act) bool {
		at := func(step Action) bool {
			return (step.Op == "reconcile" || step.Op == "fire_timers") && step.At.Equal(a.at)
		}
		did := func(b act) bool { return a.kind == b.kind && a.at.Equal(b.at) }
		return a.source == "reconcile" && !slices.ContainsFunc(s.vector.Steps, at) && !slices.ContainsFunc(their, did)
	})
}

func pairs(our map[pair][]act, peer recorded) []pair {
	var all []pair
	for p := range our {
		all = append(all, p)
	}
	for p := range peer {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b pair) int { return cmp.Or(cmp.Compare(a.bucket, b.bucket), cmp.Compare(a.user, b.user)) })
	return slices.Compact(all)
}

// order notes where a step made the same transitions as ours, but in another order.
func (s *scene) order(found deviations) {
	for i := range s.vector.Steps {
		step := &s.vector.Steps[i]
		if step.Op != "event" {
			continue
		}
		var our, their []string
		for _, t := range s.history.Transitions {
			if t.Step == i && t.Source == "event" && !t.Suppressed {
				our = append(our, t.Kind+" "+t.Bucket)
			}
		}
		for _, t := range step.Observed.Transitions {
			their = append(their, t.Kind+" "+t.Bucket)
		}
		if !slices.Equal(our, their) && slices.Equal(slices.Sorted(slices.Values(our)), slices.Sorted(slices.Values(their))) {
			found.add(Order)
		}
	}
}
