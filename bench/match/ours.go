package main

import (
	"slices"

	"github.com/bucketgen/bucketgen/registry/table"
)

// moment is an event as the registry sees it: what is known of its user, and what it carries.
type moment struct {
	facts    *table.Facts
	carried  table.Change
	memberOf []table.BucketIndex // buckets that the user was in before
}

// moments returns the moments at which events are decided over.
func (w workload) moments(r *table.Registry, events []event) []moment {
	all := make([]moment, len(events))
	for i := range events {
		ev := &events[i]
		m := moment{facts: factsOf(r, &ev.after), carried: table.Change{Event: r.Event(eventName(ev.name))}}
		for _, p := range ev.texts {
			m.carry(r, textName(p))
		}
		for _, p := range ev.numbers {
			m.carry(r, numberName(p))
		}
		if !w.alone {
			m.memberOf = memberOf(r, factsOf(r, &ev.before))
		}
		all[i] = m
	}
	return all
}

// memberOf returns the buckets that a user is in.
func memberOf(r *table.Registry, f *table.Facts) []table.BucketIndex {
	var all []table.BucketIndex
	for b := range r.Buckets {
		if r.Holds(table.BucketIndex(b), f, now) {
			all = append(all, table.BucketIndex(b))
		}
	}
	return all
}

func (m *moment) carry(r *table.Registry, name string) {
	if p, declared := r.Property(name); declared {
		m.carried.Properties = append(m.carried.Properties, p)
	}
}

// factsOf returns what the registry needs to know of a user.
func factsOf(r *table.Registry, u *user) *table.Facts {
	f := r.NewFacts("user").Complete()
	for i, text := range u.texts {
		if p, declared := r.Property(textName(i)); declared {
			f.SetProperty(p, table.Value{Kind: table.Text, Text: text})
		}
	}
	for i, number := range u.numbers {
		if p, declared := r.Property(numberName(i)); declared {
			f.SetProperty(p, table.Value{Kind: table.Number, Number: number})
		}
	}
	for i, history := range u.history {
		if e := r.Event(eventName(i)); e != table.NoEvent {
			for n := len(history) - 1; n >= 0; n-- {
				for _, o := range r.Occurrences(nil, e, history[n], u.payload) {
					f.Add(o)
				}
			}
		}
	}
	return f
}

// payload is what comes with each event of a user.
func (u *user) payload(string) table.Value {
	return table.Value{Kind: table.Number, Number: u.amount}
}

// matcher answers which of some buckets a user is in.
type matcher interface {
	name() string
	// matches appends those of the candidates whose criteria hold for the user of an event.
	matches(dst, candidates []table.BucketIndex, event int) ([]table.BucketIndex, error)
}

type ours struct {
	registry *table.Registry
	moments  []moment
}

func (ours) name() string { return "bucketgen" }

func (o ours) candidates(dst []table.BucketIndex, event int) []table.BucketIndex {
	m := &o.moments[event]
	return o.registry.Candidates(dst, m.carried, m.facts, m.memberOf)
}

// opened returns the buckets that an event is about by its name, the properties that it carries,
// and the values of its user, with those that the user is in: what an index by value leaves,
// without anything else that a registry knows.
func (o ours) opened(event int) []table.BucketIndex {
	m := &o.moments[event]
	var all []table.BucketIndex
	open := func(p *table.Postings) {
		all = append(all, p.Always...)
		for _, g := range p.Guarded {
			for _, v := range g.Values {
				if v.Value.Equal(m.facts.Property(g.Property)) {
					all = append(all, v.Buckets...)
				}
			}
		}
	}
	if m.carried.Event != table.NoEvent {
		open(&o.registry.ByEvent[m.carried.Event])
	}
	for _, p := range m.carried.Properties {
		open(&o.registry.ByProperty[p])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (o ours) matches(dst, candidates []table.BucketIndex, event int) ([]table.BucketIndex, error) {
	facts := o.moments[event].facts
	for _, b := range candidates {
		if o.registry.Holds(b, facts, now) {
			dst = append(dst, b)
		}
	}
	return dst, nil
}
