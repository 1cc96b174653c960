package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/bucketgen/bucketgen/internal/bucketgen/check"
	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry/table"
)

// The synthetic world. Half of the properties are texts, half are numbers below a hundred.
const (
	texts      = 25
	numbers    = 25
	values     = 45 // of each text
	eventNames = 200
	most       = 5 // occurrences that a bucket asks for
	carried    = 4 // declared properties in the payload of an event
	field      = "amount"
)

// workload says what buckets ask about beside properties. Of users with a history, it is how often
// something happened, and which buckets they are in is known. Alone, an event has all that is
// asked: the rest is about its own payload, and nothing is known of its user but properties.
type workload struct{ alone bool }

const day = 24 * time.Hour

// now is the instant of every event.
var now = table.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))

// definitions returns buckets of two to four conditions by a fixed seed: a text that is one of up
// to three, and numbers within bounds or what else the workload asks about.
func (w workload) definitions(buckets int) []ir.Definition {
	rng := rand.New(rand.NewPCG(1, 1))
	all := make([]ir.Definition, buckets)
	for i := range all {
		conditions := []*ir.Node{textCondition(rng)}
		for range 1 + rng.IntN(3) {
			if rng.IntN(3) == 0 {
				conditions = append(conditions, w.eventCondition(rng))
			} else {
				conditions = append(conditions, numberCondition(rng))
			}
		}
		all[i] = ir.Definition{
			ID: fmt.Sprintf("bucket-%06d", i), Kind: ir.Dynamic, Criteria: &ir.Node{Op: ir.OpAll, Children: conditions},
		}
	}
	return all
}

func registryOf(all []ir.Definition) (*table.Registry, error) {
	f := &ir.File{Version: ir.Version, Definitions: all}
	if errs := check.Errors(check.Problems(f)); len(errs) > 0 {
		return nil, fmt.Errorf("the workload's buckets are wrong: %v", errs[0])
	}
	return plan.Build(f).Registry, nil
}

func textCondition(rng *rand.Rand) *ir.Node {
	c := &ir.PropertyCheck{Name: textName(rng.IntN(texts)), Type: ir.Text}
	if rng.IntN(4) > 0 {
		v := value(rng.IntN(values))
		c.Operator, c.Value = ir.Eq, &ir.Value{Text: &v}
		return &ir.Node{Op: ir.OpProperty, Property: c}
	}
	c.Operator = ir.In
	for _, i := range rng.Perm(values)[:2+rng.IntN(2)] {
		v := value(i)
		c.Values = append(c.Values, &ir.Value{Text: &v})
	}
	return &ir.Node{Op: ir.OpProperty, Property: c}
}

func numberCondition(rng *rand.Rand) *ir.Node {
	c := &ir.PropertyCheck{Name: numberName(rng.IntN(numbers)), Type: ir.Number}
	bound := float64(rng.IntN(100))
	switch rng.IntN(3) {
	case 0:
		c.Operator, c.Value = ir.Gt, &ir.Value{Number: &bound}
	case 1:
		c.Operator, c.Value = ir.Lt, &ir.Value{Number: &bound}
	default:
		upper := bound + 50
		c.Operator, c.Values = ir.Between, []*ir.Value{{Number: &bound}, {Number: &upper}}
	}
	return &ir.Node{Op: ir.OpProperty, Property: c}
}

func (w workload) eventCondition(rng *rand.Rand) *ir.Node {
	e := &ir.EventCheck{Name: eventName(rng.IntN(eventNames)), Operator: ir.Gte, Count: 1}
	if w.alone {
		bound := float64(rng.IntN(100))
		e.Filter = &ir.Node{Op: ir.OpProperty, Property: &ir.PropertyCheck{
			Name: field, Event: e.Name, Type: ir.Number, Operator: ir.Gt, Value: &ir.Value{Number: &bound},
		}}
		return &ir.Node{Op: ir.OpEvent, Event: e}
	}
	e.Count += rng.IntN(most)
	if rng.IntN(3) > 0 {
		e.Window = &ir.Window{Last: time.Duration(1+rng.IntN(30)) * day}
	}
	return &ir.Node{Op: ir.OpEvent, Event: e}
}

func eventName(i int) string  { return fmt.Sprintf("event.%03d", i) }
func textName(i int) string   { return fmt.Sprintf("text_%02d", i) }
func numberName(i int) string { return fmt.Sprintf("number_%02d", i) }
func value(i int) string      { return fmt.Sprintf("value-%02d", i) }

// user is the state of a user: the values of all properties, and when each event happened, newest
// first. The amount is that of all events.
type user struct {
	texts   [texts]string
	numbers [numbers]float64
	history [eventNames][]table.Instant
	amount  float64
}

// event is something that a user did, with what it carries.
type event struct {
	before, after user
	name          int
	texts         []int // properties that it carries
	numbers       []int
}

// events returns one event of each of a number of users, by a fixed seed.
func (w workload) events(n int) []event {
	all := make([]event, n)
	for i := range all {
		rng := rand.New(rand.NewPCG(2, uint64(i)))
		ev := &all[i]
		u := &ev.before
		for p := range u.texts {
			u.texts[p] = value(rng.IntN(values))
		}
		for p := range u.numbers {
			u.numbers[p] = float64(rng.IntN(100))
		}
		for e := range u.history {
			at := now
			for range w.occurrences(rng) {
				at = at.Add(-time.Duration(1 + rng.Int64N(int64(10*day))))
				u.history[e] = append(u.history[e], at)
			}
		}
		ev.after, ev.name = ev.before, rng.IntN(eventNames)
		ev.after.history[ev.name] = append([]table.Instant{now}, u.history[ev.name]...)
		for _, p := range rng.Perm(texts + numbers)[:carried] {
			if p < texts {
				ev.after.texts[p] = value(rng.IntN(values))
				ev.texts = append(ev.texts, p)
			} else {
				ev.after.numbers[p-texts] = float64(rng.IntN(100))
				ev.numbers = append(ev.numbers, p-texts)
			}
		}
		ev.after.amount = float64(rng.IntN(100))
	}
	return all
}

func (w workload) occurrences(rng *rand.Rand) int {
	if w.alone {
		return 0
	}
	return rng.IntN(2 * most)
}
