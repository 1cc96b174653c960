// Package main evaluates random facts by a package that was generated from random definitions. The
// test that builds it puts it where it can import that package.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/bucketgen/bucketgen/internal/bucketgen/emit/random/gen"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Case holds the facts of a user at an instant.
type Case struct {
	User       string
	Now        table.Instant
	Properties json.RawMessage
	Changes    map[string]Change
	Events     []Event
	Members    map[string]bool          // the buckets that the user is in
	Due        map[string]table.Instant // next due instant of a bucket
}

// Change is the last change of a property.
type Change struct {
	Was json.RawMessage
	At  table.Instant
}

// Event is something that the user did.
type Event struct {
	Name       string
	At         table.Instant
	Properties json.RawMessage
}

// Answer is the result of the functions and the tables for one case, in the order of buckets.
type Answer struct {
	Functions, Tables []table.Verdict
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var cases []Case
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		return err
	}
	tables := *gen.Registry.Tables()
	tables.Buckets = append([]table.Bucket(nil), tables.Buckets...)
	for i := range tables.Buckets {
		if tables.Buckets[i].CriteriaFunc == nil {
			return fmt.Errorf("bucket %s has no function", tables.Buckets[i].ID)
		}
		tables.Buckets[i].CriteriaFunc = nil
	}
	answers := make([]Answer, len(cases))
	for i := range cases {
		var err error
		if answers[i].Functions, err = evaluate(gen.Registry.Tables(), &cases[i]); err != nil {
			return err
		}
		if answers[i].Tables, err = evaluate(&tables, &cases[i]); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

// memberships answers from the case.
type memberships struct {
	registry *table.Registry
	c        *Case
}

func (m memberships) Membership(b table.BucketIndex) table.Verdict {
	id := m.registry.Buckets[b].ID
	v := table.Verdict{True: m.c.Members[id], Until: table.Never}
	if at, due := m.c.Due[id]; due {
		v.Until = at
	}
	return v
}

func evaluate(r *table.Registry, c *Case) ([]table.Verdict, error) {
	facts := r.NewFacts(c.User).Complete()
	facts.SetMemberships(memberships{r, c})
	properties, err := payload.Parse("properties", c.Properties, len(c.Properties), payload.All)
	if err != nil {
		return nil, err
	}
	for _, field := range properties.Fields {
		p, declared := r.Property(field.Key)
		if !declared {
			continue
		}
		facts.SetProperty(p, field.Whole())
		if change, changed := c.Changes[field.Key]; changed {
			was, err := payload.StoredValue(change.Was)
			if err != nil {
				return nil, err
			}
			facts.SetLastChange(table.LastChange{Property: p, Was: was, At: change.At})
		}
	}
	for _, ev := range c.Events {
		carried, err := payload.Parse("properties", ev.Properties, len(ev.Properties), payload.All)
		if err != nil {
			return nil, err
		}
		occurrences := r.Occurrences(nil, r.Event(ev.Name), ev.At, carried.Value)
		for _, o := range occurrences {
			facts.Add(o)
		}
		for _, a := range r.Advances(nil, occurrences) {
			facts.Advance(a)
		}
	}
	verdicts := make([]table.Verdict, len(r.Buckets))
	for b := range r.Buckets {
		verdicts[b], _ = r.Evaluate(table.BucketIndex(b), facts, c.Now)
	}
	return verdicts, nil
}
