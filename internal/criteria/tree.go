package criteria

import (
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/words"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Of describes a bucket of a registry.
func Of(r *table.Registry, b table.BucketIndex) bucketgen.Criteria {
	row := &r.Buckets[b]
	c := bucketgen.Criteria{
		BucketID: row.ID, Manual: row.Kind == table.Manual, Policy: words.Policy(r, b), Timed: Timed(r, b), Asks: asks(r, b), Wakes: []bucketgen.Wake{},
	}
	if lines := words.Criteria(r, b); len(lines) > 0 {
		root, _ := tree{r, row.Criteria}.node(lines)
		c.Criteria = &root
	}
	for i := 0; i < len(row.Criteria); i++ {
		n := &row.Criteria[i]
		c.Wakes = append(c.Wakes, wakes(n)...)
		if n.Op == table.OpFirst || n.Op == table.OpLast { // what follows is about a field of the event
			i += n.Size - 1
		}
	}
	if c.Timed {
		c.Wakes = append(c.Wakes, bucketgen.WakeClock)
	}
	slices.Sort(c.Wakes)
	c.Wakes = slices.Compact(c.Wakes)
	return c
}

// Uses returns what a bucket depends on, and which buckets depend on it. It knows no subscriptions.
func Uses(r *table.Registry, b table.BucketIndex) bucketgen.Uses {
	row := &r.Buckets[b]
	u := bucketgen.Uses{
		BucketID: row.ID, Events: []string{}, Properties: []string{}, Asks: asks(r, b), AskedBy: []string{}, Subscriptions: []bucketgen.Subscription{},
	}
	for _, e := range row.Events {
		u.Events = append(u.Events, r.Events[e].Name)
	}
	for _, p := range row.Properties {
		u.Properties = append(u.Properties, words.Property(r, p))
	}
	for _, d := range row.Dependents {
		u.AskedBy = append(u.AskedBy, r.Buckets[d].ID)
	}
	slices.Sort(u.Events)
	slices.Sort(u.Properties)
	return u
}

// asks returns the ids of the buckets that the criteria of a bucket asks about.
func asks(r *table.Registry, b table.BucketIndex) []string {
	ids := []string{}
	for i := range r.Buckets[b].Criteria {
		if n := &r.Buckets[b].Criteria[i]; n.Op == table.OpInBucket {
			ids = append(ids, r.Buckets[n.Bucket].ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// tree is the nodes of a criteria.
type tree struct {
	registry *table.Registry
	nodes    []table.Node
}

// node returns the node of the first line, and the lines after those that belong to it.
func (t tree) node(lines []words.Line) (bucketgen.CriteriaNode, []words.Line) {
	line := lines[0]
	c := bucketgen.CriteriaNode{Words: line.Text}
	place := line.Node
	for t.nodes[place].Op == table.OpNot {
		c.Negated = !c.Negated
		place++
	}
	n := &t.nodes[place]
	c.Op, c.Count = n.Op.String(), n.Count
	if !n.Op.Combines() {
		t.describe(&c, t.nodes[place:place+n.Size])
	}
	lines = lines[1:]
	for len(lines) > 0 && lines[0].Depth > line.Depth {
		var part bucketgen.CriteriaNode
		part, lines = t.node(lines)
		c.Parts = append(c.Parts, part)
	}
	return c, lines
}

// describe adds what a single condition asks about.
func (t tree) describe(c *bucketgen.CriteriaNode, nodes []table.Node) {
	r, n := t.registry, &nodes[0]
	event := func(s table.SignalIndex) string { return r.Events[r.Signals[s].Event].Name }
	c.Wakes = wakes(n)
	for i := range nodes {
		if timed(&nodes[i]) {
			c.Wakes = append(c.Wakes, bucketgen.WakeClock)
			break
		}
	}
	switch {
	case n.Op.IsProperty():
		c.Property = words.Property(r, n.Property)
		c.WindowSeconds = n.Span.Seconds()
	case n.Op.IsSequence():
		for _, step := range r.Sequences[n.Sequence].Steps {
			c.Events = append(c.Events, event(step.Signal))
		}
		c.Window, c.WindowSeconds = words.Window(n.Window), n.Window.Span.Seconds()
	case n.Op.IsSignal():
		c.Events = []string{event(n.Signal)}
		if n.Op == table.OpOnly {
			c.Events = append(c.Events, event(n.Other))
		}
		if n.Op != table.OpFirst && n.Op != table.OpLast {
			c.Window, c.WindowSeconds = words.Window(n.Window), n.Window.Span.Seconds()
		}
	case n.Op == table.OpInBucket:
		c.Bucket = r.Buckets[n.Bucket].ID
	}
}

// wakes returns what can change the result of a condition, but for time.
func wakes(n *table.Node) []bucketgen.Wake {
	switch {
	case n.Op.IsProperty():
		return []bucketgen.Wake{bucketgen.WakeProperty}
	case n.Op.IsSignal(), n.Op.IsSequence():
		return []bucketgen.Wake{bucketgen.WakeEvent}
	case n.Op == table.OpInBucket:
		return []bucketgen.Wake{bucketgen.WakeBucket}
	default:
		return nil
	}
}
