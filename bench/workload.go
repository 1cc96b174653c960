package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// The synthetic world: what its users have and do.
const (
	properties = 50
	values     = 8 // of each property
	eventNames = 40
)

// workload makes buckets and events by a fixed seed.
type workload struct {
	users int

	// active is how many of the users do anything. If it is 0, all do.
	active int

	// segments is the number of kinds of users. Each has its share of buckets that ask for one of
	// two events: whatever the number of buckets, five of them ask for an event of a user. If it is
	// 0, the buckets are mixed.
	segments int
}

const segmentBuckets = 10

// registry returns the registry of buckets.
func (w workload) registry(buckets int) (*registry.Registry, error) {
	return registryOf(w.definitions(buckets)...)
}

// definitions returns buckets of two to four conditions each: equalities of properties, and counts
// of events within windows.
func (w workload) definitions(buckets int) []ir.Definition {
	rng := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // a fixed seed is the point
	var definitions []ir.Definition
	for i := range buckets {
		if w.segments > 0 {
			definitions = append(definitions, segmentBucket(i))
			continue
		}
		conditions := []*ir.Node{event(rng)}
		for range 1 + rng.IntN(2) {
			conditions = append(conditions, property(rng))
		}
		if rng.IntN(2) == 0 {
			conditions = append(conditions, event(rng))
		}
		definitions = append(definitions, ir.Definition{
			ID: fmt.Sprintf("bucket-%04d", i), Kind: ir.Dynamic, Criteria: &ir.Node{Op: ir.OpAll, Children: conditions},
		})
	}
	return definitions
}

// candidates returns how many buckets an event has to be asked about on average, narrowed by its
// name and by the values that its user has. Those in which the user is come on top.
func (w workload) candidates(r *registry.Registry) float64 {
	sample := w.events(0, 10_000)
	found := 0
	for i := range sample {
		ev := &sample[i]
		facts := r.Tables().NewFacts("")
		carried := table.Change{Event: r.Tables().Event(ev.Name)}
		for key, v := range w.user(w.number(ev.UserID)).Traits {
			setText(r, facts, key, v)
		}
		for key, v := range ev.Properties {
			if p, declared := setText(r, facts, key, v); declared {
				carried.Properties = append(carried.Properties, p)
			}
		}
		found += len(r.Tables().Candidates(nil, carried, facts, nil))
	}
	return float64(found) / float64(len(sample))
}

func setText(r *registry.Registry, facts *table.Facts, key string, v any) (table.PropertyIndex, bool) {
	p, declared := r.Tables().Property(key)
	if declared {
		facts.SetProperty(p, table.Value{Kind: table.Text, Text: fmt.Sprint(v)})
	}
	return p, declared
}

func event(rng *rand.Rand) *ir.Node {
	e := &ir.EventCheck{Name: eventName(rng.IntN(eventNames)), Operator: ir.Gte, Count: 2 + rng.IntN(5)}
	if rng.IntN(3) > 0 {
		e.Window = &ir.Window{Last: time.Duration(1+rng.IntN(30)) * 24 * time.Hour}
	}
	return &ir.Node{Op: ir.OpEvent, Event: e}
}

func property(rng *rand.Rand) *ir.Node {
	v := value(rng.IntN(values))
	return &ir.Node{Op: ir.OpProperty, Property: &ir.PropertyCheck{
		Name: propertyName(rng.IntN(properties)), Type: ir.Text, Operator: ir.Eq, Value: &ir.Value{Text: &v},
	}}
}

// segmentBucket returns a bucket of users of a segment who have done one of two things a number of
// times within a number of days.
func segmentBucket(i int) ir.Definition {
	v, k := value(i/segmentBuckets), i%segmentBuckets
	return ir.Definition{ID: fmt.Sprintf("bucket-%06d", i), Kind: ir.Dynamic, Criteria: &ir.Node{Op: ir.OpAll, Children: []*ir.Node{
		{Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: propertyName(0), Type: ir.Text, Operator: ir.Eq, Value: &ir.Value{Text: &v}}},
		{Op: ir.OpEvent, Event: &ir.EventCheck{Name: eventName(k % 2), Operator: ir.Gte, Count: 2 + k/2, Window: &ir.Window{Last: time.Duration(1+3*k) * 24 * time.Hour}}},
	}}}
}

func eventName(i int) string    { return fmt.Sprintf("event.%03d", i) }
func propertyName(i int) string { return fmt.Sprintf("property_%02d", i) }
func value(i int) string        { return fmt.Sprintf("value-%02d", i) }

// user returns the traits that a user begins with.
func (w workload) user(i int) engine.Event {
	rng := rand.New(rand.NewPCG(2, uint64(i))) //nolint:gosec // a fixed seed is the point
	traits := map[string]any{}
	for p := range properties {
		traits[propertyName(p)] = value(rng.IntN(values))
	}
	if w.segments > 0 {
		traits[propertyName(0)] = value(i % w.segments)
	}
	return engine.Event{UserID: userID(i), Traits: traits}
}

// event returns something that one of the users does: with a payload of eight, of which now and
// then one is a declared property with another value than before.
func (w workload) event(rng *rand.Rand) engine.Event {
	payload := map[string]any{
		"amount": rng.IntN(1000), "currency": "EUR", "sku": value(rng.IntN(500)), "quantity": rng.IntN(9), "first": rng.IntN(2) == 0,
		"page": "/checkout", "referrer": "https://example.com/a/b/c", "session": rng.Int64(),
	}
	names := eventNames
	if w.segments > 0 {
		names = 2
	} else if rng.IntN(10) == 0 {
		payload[propertyName(rng.IntN(properties))] = value(rng.IntN(values))
	}
	users := w.users
	if w.active > 0 {
		users = w.active
	}
	return engine.Event{UserID: userID(rng.IntN(users)), Name: eventName(rng.IntN(names)), Properties: payload}
}

// events returns a number of events, made before anything is measured.
func (w workload) events(seed uint64, n int) []engine.Event {
	rng := rand.New(rand.NewPCG(5, seed)) //nolint:gosec // a fixed seed is the point
	events := make([]engine.Event, n)
	for i := range events {
		events[i] = w.event(rng)
	}
	return events
}

func userID(i int) string { return userPrefix + fmt.Sprintf("%07d", i) }

const userPrefix = "user-"

func (workload) number(user string) int {
	i, err := strconv.Atoi(strings.TrimPrefix(user, userPrefix))
	if err != nil {
		panic(err) // it is one of ours
	}
	return i
}
