package check

import (
	"maps"
	"slices"
	"strings"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// member checks a condition on the membership of another bucket.
func (c *checker) member(d *ir.Definition, n *ir.Node) {
	switch {
	case n.Bucket == d.ID:
		c.report(n.Pos, d.ID, "the bucket asks whether the user is in itself; ask about another bucket, or about what makes users join this one")
	case c.buckets[n.Bucket] != nil:
	case c.nearBucket(n.Bucket) != "":
		c.report(n.Pos, d.ID, "there is no bucket %q; write %q", n.Bucket, c.nearBucket(n.Bucket))
	default:
		c.report(n.Pos, d.ID, "there is no bucket %q; write the id of one that is defined in this package", n.Bucket)
	}
}

// nearBucket returns the id of the bucket most similar to an id, or nothing.
func (c *checker) nearBucket(id string) string {
	return nearest(slices.Sorted(maps.Keys(c.buckets)), id, func(other string) int { return distance(id, other) })
}

// cycles finds buckets that ask about each other in a circle. Each circle is reported once, at the
// bucket with the least id.
func (c *checker) cycles() {
	const (
		under = 1 + iota
		done
	)
	state := map[string]int{}
	var path []string
	var visit func(d *ir.Definition, asked *ir.Node)
	visit = func(d *ir.Definition, asked *ir.Node) {
		switch state[d.ID] {
		case done:
			return
		case under:
			circle := path[slices.Index(path, d.ID):]
			c.report(asked.Pos, path[len(path)-1], "the buckets ask about each other in a circle: %s; let one of them ask about events or properties instead",
				strings.Join(append(slices.Clone(circle), d.ID), " → "))
			return
		}
		state[d.ID] = under
		path = append(path, d.ID)
		d.Criteria.Walk(func(n *ir.Node) {
			if other := c.buckets[n.Bucket]; n.Op == ir.OpMember && other != nil && n.Bucket != d.ID {
				visit(other, n)
			}
		})
		path = path[:len(path)-1]
		state[d.ID] = done
	}
	byID := slices.SortedFunc(maps.Values(c.buckets), func(a, b *ir.Definition) int { return strings.Compare(a.ID, b.ID) })
	for _, d := range byID {
		visit(d, nil)
	}
}
