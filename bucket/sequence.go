package bucket

import (
	"fmt"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Steps are events that follow each other, the last of them without a time limit: set one by
// [Steps.Within]. They are not a criteria yet. [Occurrences.Then] begins them.
type Steps struct{ of chain }

// TimedSteps are events that follow each other, each within a time. They are a [Sequence] already,
// and more may follow. [Occurrences.ThenWithin] begins them.
type TimedSteps struct{ Sequence }

// Sequence is events that follow each other within a time, each after the one before: of two at one
// instant, the later arrival comes later. One event takes one step. It is not a criteria yet: ask
// whether it exists, or was completed recently.
//
// It is checked when one of its events arrives. A late event counts from the instant at which it
// occurred.
type Sequence struct{ Completion }

// Completion is the end of a sequence: its last step or, after ThenNot, the instant at which the
// absence is certain.
type Completion struct{ of chain }

// Absence is an event that must not follow. It is not a criteria yet: set the time by
// [Absence.Within].
type Absence struct{ of chain }

// chain is a sequence as far as it is written.
type chain struct {
	check    ir.SequenceCheck
	problems []ir.Problem
	keyed    bool
}

// Then adds the next event. Set the time by [Steps.Within], or use [Occurrences.ThenWithin].
func (o Occurrences) Then(next StepEvent) Steps {
	pos := callerOf(1)
	return Steps{chain{}.step(o, 0, pos).step(next.step(), 0, pos)}
}

// ThenWithin adds the next event, which comes less than d after.
func (o Occurrences) ThenWithin(d time.Duration, next StepEvent) TimedSteps {
	pos := callerOf(1)
	return timed(chain{}.step(o, 0, pos).step(next.step(), d, pos).positive("ThenWithin", d, pos))
}

// ThenNot adds the event that must not follow, within the time of [Absence.Within].
func (o Occurrences) ThenNot(answer StepEvent) Absence {
	pos := callerOf(1)
	return Absence{chain{}.step(o, 0, pos).step(answer.step(), 0, pos)}
}

// Then adds the next event.
func (s Steps) Then(next StepEvent) Steps { return Steps{s.of.step(next.step(), 0, callerOf(1))} }

// ThenWithin adds the next event, which comes less than d after the step before.
func (s Steps) ThenWithin(d time.Duration, next StepEvent) Steps {
	pos := callerOf(1)
	return Steps{s.of.step(next.step(), d, pos).positive("ThenWithin", d, pos)}
}

// Within requires the last step less than d after the first.
func (s Steps) Within(d time.Duration) Sequence {
	s.of.check.Within = d
	return Sequence{Completion{s.of.positive("Within", d, callerOf(1))}}
}

// Then adds the next event. All steps together then need a time: see [Steps.Within].
func (s TimedSteps) Then(next StepEvent) Steps {
	return Steps{s.of.step(next.step(), 0, callerOf(1))}
}

// ThenWithin adds the next event, which comes less than d after the step before.
func (s TimedSteps) ThenWithin(d time.Duration, next StepEvent) TimedSteps {
	pos := callerOf(1)
	return timed(s.of.step(next.step(), d, pos).positive("ThenWithin", d, pos))
}

// Within requires the last step less than d after the first, in addition to the times of the steps.
func (s TimedSteps) Within(d time.Duration) Sequence {
	s.of.check.Within = d
	return Sequence{Completion{s.of.positive("Within", d, callerOf(1))}}
}

func timed(c chain) TimedSteps { return TimedSteps{Sequence{Completion{c}}} }

// ThenNot adds the event that must not follow the sequence, within the time of [Absence.Within].
func (s Sequence) ThenNot(answer StepEvent) Absence {
	return Absence{s.of.step(answer.step(), 0, callerOf(1))}
}

// Within sets how long the event must not follow. It goes by the newest of the events, or chains of
// them, that the event must not follow. The condition holds from exactly d after that one on, until
// the event does follow.
func (a Absence) Within(d time.Duration) Completion {
	a.of.check.Steps = slices.Clone(a.of.check.Steps)
	a.of.check.Steps[len(a.of.check.Steps)-1].Within, a.of.check.Unless = d, true
	return Completion{a.of.positive("Within", d, callerOf(1))}
}

// By matches only events with the same value in a field: the same order, for example. It takes one
// field of each event, all of one type. An event without a value there takes no step, nor does one
// with a list or an object. The condition holds if it holds for some value.
func (c Completion) By(fields ...Field) Completion {
	pos := callerOf(1)
	if c.of.keyed {
		c.of = c.of.problem(pos, "By is there twice; name all fields at once")
		return c
	}
	c.of.keyed = true
	c.of.check.Steps = slices.Clone(c.of.check.Steps)
	seen := map[string]bool{}
	for _, f := range fields {
		key, used := f.field().check(), false
		for i := range c.of.check.Steps {
			if step := &c.of.check.Steps[i]; step.Event == key.Event {
				step.Key, used = key, true
			}
		}
		switch {
		case !used:
			c.of = c.of.problem(pos, fmt.Sprintf("By names field %q of event %q, which is no step of the sequence; name one of each event of it", key.Name, key.Event))
		case seen[key.Event]:
			c.of = c.of.problem(pos, fmt.Sprintf("By names two fields of event %q; name one", key.Event))
		}
		seen[key.Event] = true
	}
	if len(fields) == 0 {
		c.of = c.of.problem(pos, "By() names no field; drop it or name one of each event of the sequence")
	}
	return c
}

// Exists holds if the sequence was ever completed. After ThenNot it holds while the event has not
// followed.
func (c Completion) Exists() Criteria { return c.of.criteria(callerOf(1)) }

// InTheLast holds while the last completion is in (now-d, now]: the instant of the last step or,
// after ThenNot, the end of its time. The clock ends it at the very instant. d must be positive.
func (c Completion) InTheLast(d time.Duration) Criteria {
	c.of.check.Window = &ir.Window{Last: d}
	return c.of.criteria(callerOf(1))
}

// StepEvent takes a step of a sequence: an [EventName], or those [Occurrences] of one that pass a
// filter.
type StepEvent interface {
	step() Occurrences
}

func (o Occurrences) step() Occurrences { return o }

func (c chain) step(o Occurrences, within time.Duration, pos ir.Pos) chain {
	for _, text := range o.problems {
		c = c.problem(pos, text)
	}
	if o.check.Window != nil {
		c = c.problem(pos, fmt.Sprintf("event %q takes a step within a window; drop that, and say when the sequence is completed by InTheLast", o.check.Name))
	}
	c.check.Steps = append(slices.Clip(c.check.Steps), ir.SequenceStep{Pos: pos, Event: o.check.Name, Filter: o.check.Filter, Within: within})
	return c
}

// positive records a problem if a time is not positive.
func (c chain) positive(method string, d time.Duration, pos ir.Pos) chain {
	if d > 0 {
		return c
	}
	return c.problem(pos, fmt.Sprintf("%s(%s) is no time; it must be positive", method, d))
}

func (c chain) problem(pos ir.Pos, text string) chain {
	c.problems = append(slices.Clip(c.problems), ir.Problem{Pos: pos, Text: text})
	return c
}

func (c chain) criteria(pos ir.Pos) Criteria {
	check := c.check
	return Criteria{&ir.Node{Op: ir.OpSequence, Pos: pos, Sequence: &check, Problems: c.problems}}
}
