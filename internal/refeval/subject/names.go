package subject

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
)

// names distinguishes the buckets of cases that share a database.
type names struct{ number int }

func (n names) prefix() string { return fmt.Sprintf("c%d-", n.number) }

func (n names) give(f *ir.File, steps []refeval.Action) (*ir.File, []refeval.Action) {
	if n.number == 0 {
		return f, steps
	}
	steps = slices.Clone(steps)
	for i := range steps {
		steps[i].Bucket = n.prefix() + steps[i].Bucket
		if steps[i].Definitions != nil {
			steps[i].Definitions = n.file(steps[i].Definitions)
		}
	}
	return n.file(f), steps
}

func (n names) file(f *ir.File) *ir.File {
	copied := *f
	copied.Definitions = slices.Clone(f.Definitions)
	for i := range copied.Definitions {
		d := &copied.Definitions[i]
		d.ID, d.Criteria = n.prefix()+d.ID, n.criteria(d.Criteria)
	}
	return &copied
}

// criteria returns a criteria that asks about the buckets by the names that they are given.
func (n names) criteria(node *ir.Node) *ir.Node {
	if node == nil {
		return nil
	}
	copied := *node
	if copied.Op == ir.OpMember {
		copied.Bucket = n.prefix() + copied.Bucket
	}
	copied.Children = make([]*ir.Node, len(node.Children))
	for i, child := range node.Children {
		copied.Children[i] = n.criteria(child)
	}
	return &copied
}

func (n names) takeBack(h *refeval.History) {
	if n.number == 0 || h == nil {
		return
	}
	for i := range h.Transitions {
		t := &h.Transitions[i]
		t.Bucket = strings.TrimPrefix(t.Bucket, n.prefix())
	}
	for i := range h.Stays {
		s := &h.Stays[i]
		s.Bucket = strings.TrimPrefix(s.Bucket, n.prefix())
	}
}
