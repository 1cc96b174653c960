package registry

import "slices"

// Postings are the buckets that refer to one event, or to one property.
//
// A criteria like All(Plan.Is("pro"), ...) cannot hold while the plan is another: Plan is the guard of that bucket, and
// unless the user is in it, nothing that happens matters to it. So buckets with a guard are filed under the value that
// opens them, and are found only where the user has it.
type Postings struct {
	Always  []Index
	Guarded []Guarded
}

// Guarded are the buckets whose guard is a certain property, by the value that opens them.
type Guarded struct {
	Property Property
	Values   []Posting // sorted by value
}

// Posting is the buckets that one value opens.
type Posting struct {
	Value   Value
	Buckets []Index
}

// Carried is what an ingest brings of a user that criteria could ask about.
type Carried struct {
	Event      Event // or NoEvent
	Properties []Property
	Newcomer   bool // the user is new, or is looked at anew
}

// Candidates appends the buckets whose membership may change by what an ingest carries, sorted and without repetition.
// The facts must include what is carried; standing are the buckets in which the user is, or is kept from: those are
// candidates whenever they refer to something that is carried, since a guard that closes is what makes users leave.
func (r *Registry) Candidates(dst []Index, c Carried, f *Facts, standing []Index) []Index {
	if c.Newcomer {
		dst = append(dst, r.Newcomers...)
	}
	if c.Event != NoEvent {
		dst = r.ByEvent[c.Event].open(dst, f)
	}
	for _, p := range c.Properties {
		dst = r.ByProperty[p].open(dst, f)
	}
	for _, b := range standing {
		if r.Buckets[b].refers(c) {
			dst = append(dst, b)
		}
	}
	slices.Sort(dst)
	return slices.Compact(dst)
}

func (p *Postings) open(dst []Index, f *Facts) []Index {
	dst = append(dst, p.Always...)
	for i := range p.Guarded {
		g := &p.Guarded[i]
		dst = append(dst, g.opened(&f.values[g.Property])...)
	}
	return dst
}

// opened returns the buckets that a value opens. Among few values it is found soonest by asking each whether it is the one:
// most differ in their lengths, or in a word.
func (g *Guarded) opened(v *Value) []Index {
	const few = 8
	if len(g.Values) > few {
		if n, found := slices.BinarySearchFunc(g.Values, v, compareKey); found {
			return g.Values[n].Buckets
		}
		return nil
	}
	for i := range g.Values {
		key := &g.Values[i].Value
		if key.Kind == v.Kind && (v.Kind == Text && key.Text == v.Text || v.Kind != Text && key.Compare(*v) == 0) {
			return g.Values[i].Buckets
		}
	}
	return nil
}

func compareKey(p Posting, v *Value) int { return p.Value.Compare(*v) }

func (b *Bucket) refers(c Carried) bool {
	if _, found := slices.BinarySearch(b.Events, c.Event); found {
		return true
	}
	for _, p := range c.Properties {
		if _, found := slices.BinarySearch(b.Properties, p); found {
			return true
		}
	}
	return false
}
