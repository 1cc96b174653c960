package emit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/bucketgen/emit"
	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
)

// BenchmarkFiles measures planning and printing: generation without reading the definitions.
func BenchmarkFiles(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000} {
		b.Run(fmt.Sprintf("buckets=%d", n), func(b *testing.B) {
			f := manyBuckets(n)
			size := 0
			for b.Loop() {
				files, err := emit.Files(plan.Build(f), "gen", "example.com/buckets")
				if err != nil {
					b.Fatal(err)
				}
				size = 0
				for _, src := range files {
					size += len(src)
				}
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}

// manyBuckets returns buckets of two to four conditions over 50 properties and 200 events.
func manyBuckets(n int) *ir.File {
	f := &ir.File{}
	for i := range n {
		text, number := fmt.Sprintf("v%d", i%23), float64(i%90)
		leaves := []*ir.Node{
			{Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: fmt.Sprintf("text%d", i%30), Type: ir.Text, Operator: ir.Eq, Value: &ir.Value{Text: &text}}},
			{Op: ir.OpEvent, Event: &ir.EventCheck{Name: fmt.Sprintf("event.%d", i%200), Operator: ir.Gte, Count: 1 + i%5, Window: &ir.Window{Last: 7 * 24 * time.Hour}}},
			{Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: fmt.Sprintf("number%d", i%20), Type: ir.Number, Operator: ir.Gt, Value: &ir.Value{Number: &number}}},
			{Op: ir.OpEvent, Event: &ir.EventCheck{Name: fmt.Sprintf("event.%d", (i+9)%200), Operator: ir.Lte, Window: &ir.Window{Last: 24 * time.Hour}}},
		}
		f.Definitions = append(f.Definitions, ir.Definition{
			ID: fmt.Sprintf("bucket-%05d", i), Kind: ir.Dynamic, Doc: "Users who did something.\n", Pos: ir.Pos{File: "buckets.go", Line: i},
			Criteria: &ir.Node{Op: ir.OpAll, Children: leaves[:2+i%3]},
		})
	}
	return f
}
