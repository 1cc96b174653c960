package words_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/internal/words"
	"github.com/bucketgen/bucketgen/registry/table"
)

// TestWordsTellApart draws many small definitions, of which many are alike, and checks that words
// are the same where fingerprints are and different where they are not.
func TestWordsTellApart(t *testing.T) {
	t.Parallel()
	byWords, byFingerprint, described := map[string]string{}, map[string]string{}, map[string]string{}
	alike := 0
	draw.Check(t, 20000, func(t *rapid.T) {
		f := draw.Definitions(t, 1)
		if rapid.Bool().Draw(t, "leaf") && f.Definitions[0].Kind == ir.Dynamic {
			f.Definitions[0] = ir.Definition{ID: "a", Kind: ir.Dynamic, Criteria: draw.Criteria(t, 0)}
		}
		plainly(f.Definitions[0].Criteria)
		r := plan.Build(f).Registry
		text, fingerprint := said(r, 0), r.Buckets[0].Fingerprint
		if other, known := byWords[text]; known && other != fingerprint {
			t.Fatalf("these have the same words\n%s%s%s", text, refeval.Describe(f), described[other])
		}
		if other, known := byFingerprint[fingerprint]; known {
			if alike++; other != text {
				t.Fatalf("these have the same fingerprint\n%s%s", text, other)
			}
		}
		byWords[text], byFingerprint[fingerprint], described[fingerprint] = fingerprint, text, refeval.Describe(f)
	})
	t.Logf("%d definitions, %d of them seen again", len(byFingerprint)+alike, alike)
}

// disguises are the operators that are another one turned around.
var disguises = map[ir.Operator]ir.Operator{ir.Neq: ir.Eq, ir.NotIn: ir.In, ir.NotExists: ir.Exists}

// plainly writes filters, which are compared as written, without disguise: filters of one meaning
// have different fingerprints there.
func plainly(criteria *ir.Node) {
	criteria.Walk(func(n *ir.Node) {
		var filters []*ir.Node
		if n.Event != nil {
			filters = append(filters, n.Event.Filter)
		}
		if n.Sequence != nil {
			for i := range n.Sequence.Steps {
				filters = append(filters, n.Sequence.Steps[i].Filter)
			}
		}
		for _, filter := range filters {
			filter.Walk(undisguise)
		}
	})
}

func undisguise(n *ir.Node) {
	p := n.Property
	if p == nil {
		return
	}
	slices.SortFunc(p.Values, func(a, b *ir.Value) int { return strings.Compare(fmt.Sprint(operand(a)), fmt.Sprint(operand(b))) })
	number := slices.Contains([]ir.Operator{ir.Gt, ir.Gte, ir.Lt, ir.Lte}, p.Operator)
	if p.Type == ir.Any && (number && p.Value.Number == nil || p.Operator == ir.Contains && p.Value.Text == nil) {
		p.Operator, p.Value = ir.Gt, &ir.Value{Composite: true} // never holds, whatever the operand
	}
	if plain, disguised := disguises[p.Operator]; disguised {
		p.Operator = plain
		*n = ir.Node{Op: ir.OpNot, Children: []*ir.Node{{Op: ir.OpProperty, Property: p}}}
	}
}

func operand(v *ir.Value) any {
	switch {
	case v.Text != nil:
		return *v.Text
	case v.Number != nil:
		return *v.Number
	default:
		return v.Time
	}
}

// said is the full description of a bucket.
func said(r *table.Registry, b table.BucketIndex) string {
	var all strings.Builder
	for _, line := range words.Criteria(r, b) {
		fmt.Fprintln(&all, line)
	}
	for _, sentence := range words.Policy(r, b) {
		fmt.Fprintln(&all, sentence)
	}
	return all.String()
}
