// Package words describes a bucket in English: its criteria as a tree of lines, its policy as
// sentences. Equal criteria give equal words, and criteria with different meanings give different
// ones, so that words can be stored and compared.
package words

import (
	"fmt"
	"strings"

	"github.com/bucketgen/bucketgen/registry/table"
)

// Line is one condition of a criteria, or the head of a combination, whose parts follow one level
// deeper.
type Line struct {
	Depth int
	Text  string
	Node  int // its place among the nodes of the criteria; of a condition that is turned around, that of the Not
}

// String returns the line with two spaces for each step down.
func (l Line) String() string { return strings.Repeat("  ", l.Depth) + l.Text }

// Criteria returns the criteria of a bucket, in the order in which its author wrote it. A manual
// bucket has none.
func Criteria(r *table.Registry, b table.BucketIndex) []Line {
	nodes := r.Buckets[b].Criteria
	if len(nodes) == 0 {
		return nil
	}
	return speaker{r}.tree(nil, nodes, 0, 0)
}

// Bucket returns what a bucket is, a line each: its criteria, then its policy.
func Bucket(r *table.Registry, b table.BucketIndex) []string {
	lines := []string{}
	for _, line := range Criteria(r, b) {
		lines = append(lines, line.String())
	}
	return append(lines, Policy(r, b)...)
}

// speaker knows the names of the rows that nodes refer to.
type speaker struct{ registry *table.Registry }

// tree appends the lines of the node at a place.
func (s speaker) tree(lines []Line, nodes []table.Node, place, depth int) []Line {
	line := Line{Depth: depth, Node: place}
	for nodes[place].Op == table.OpNot {
		line.Text += "not: "
		place++
	}
	n := &nodes[place]
	if !n.Op.Combines() {
		line.Text += s.condition(nodes[place:place+n.Size], s.property)
		return append(lines, line)
	}
	line.Text += head(n) + ":"
	if n.Size == 1 {
		line.Text += " nothing"
	}
	lines = append(lines, line)
	for i := place + 1; i < place+n.Size; i += nodes[i].Size {
		lines = s.tree(lines, nodes, i, depth+1)
	}
	return lines
}

// head says how many nodes of a combination must hold.
func head(n *table.Node) string {
	switch n.Op {
	case table.OpAll:
		return "all of"
	case table.OpAny:
		return "any of"
	default:
		return fmt.Sprintf("at least %d of", n.Count)
	}
}

// expression describes a tree of nodes within a line. naming names the properties that it asks
// about.
func (s speaker) expression(nodes []table.Node, naming func(table.PropertyIndex) string) string {
	n := &nodes[0]
	switch {
	case n.Op == table.OpNot:
		return "not " + s.operand(nodes[1:], naming)
	case !n.Op.Combines():
		return s.condition(nodes[:n.Size], naming)
	}
	var parts []string
	for i := 1; i < n.Size; i += nodes[i].Size {
		parts = append(parts, s.operand(nodes[i:], naming))
	}
	switch {
	case n.Op == table.OpAll && len(parts) > 1:
		return strings.Join(parts, " and ")
	case n.Op == table.OpAny && len(parts) > 1:
		return strings.Join(parts, " or ")
	case len(parts) == 0:
		return head(n) + " nothing"
	default:
		return head(n) + " " + strings.Join(parts, ", ")
	}
}

// operand is an expression that is part of another, in parentheses if it combines several.
func (s speaker) operand(nodes []table.Node, naming func(table.PropertyIndex) string) string {
	text := s.expression(nodes, naming)
	if op := nodes[0].Op; op.Combines() && op != table.OpNot {
		return "(" + text + ")"
	}
	return text
}
