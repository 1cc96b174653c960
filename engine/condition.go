package engine

import (
	"time"

	"github.com/bucketgen/bucketgen/internal/words"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Condition is one condition of a criteria, or a combination of several, with what came of it.
type Condition struct {
	Words    string      `json:"words"`
	Holds    bool        `json:"holds"`
	Until    time.Time   `json:"until,omitzero"`     // the earliest instant at which time alone could change that; zero if none can
	Evidence *Evidence   `json:"evidence,omitempty"` // of a single condition
	Parts    []Condition `json:"parts,omitempty"`    // of a combination
}

// criteriaOf returns the criteria of a bucket as a tree.
func criteriaOf(l *look) *Condition {
	if l.trace == nil {
		return nil
	}
	lines := words.Criteria(l.registry, l.bucket)
	root, _ := l.condition(lines)
	return &root
}

// condition returns the condition of the first line, and the lines that follow what belongs to it.
func (l *look) condition(lines []words.Line) (Condition, []words.Line) {
	line := lines[0]
	c := Condition{Words: line.Text, Holds: l.trace[line.Node].True, Until: timeOf(l.trace[line.Node].Until)}
	place := line.Node
	nodes := l.registry.Buckets[l.bucket].Criteria
	for nodes[place].Op == table.OpNot { // what is turned around stands in the same line
		place++
	}
	if !nodes[place].Op.Combines() {
		c.Evidence = l.evidence(&nodes[place], &l.trace[place])
	}
	lines = lines[1:]
	for len(lines) > 0 && lines[0].Depth > line.Depth {
		var part Condition
		part, lines = l.condition(lines)
		c.Parts = append(c.Parts, part)
	}
	return c, lines
}
