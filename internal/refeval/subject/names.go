package subject

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
)

// names tells the buckets of cases that share a database apart.
type names struct{ number int }

func (n names) prefix() string { return fmt.Sprintf("c%d-", n.number) }

func (n names) give(f *ir.File, steps []refeval.Step) (*ir.File, []refeval.Step) {
	if n.number == 0 {
		return f, steps
	}
	copied := *f
	copied.Definitions = slices.Clone(f.Definitions)
	for i := range copied.Definitions {
		copied.Definitions[i].ID = n.prefix() + copied.Definitions[i].ID
	}
	steps = slices.Clone(steps)
	for i := range steps {
		steps[i].Bucket = n.prefix() + steps[i].Bucket
	}
	return &copied, steps
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
