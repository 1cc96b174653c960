package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/bucketgen/bucketgen/internal/bucketgen/check"
	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry"
)

// groups is how many properties have the number of a bucket. A user is in one bucket by each.
const groups = 4

const (
	opened = "app.opened"

	// most is how often users of an odd bucket may open the app within a window of 30 days.
	most = 1000

	// dwell is the maximal dwell of every eighth bucket. Stays of the seed are shorter.
	dwell = 90 * 24 * time.Hour
)

// bucketsOf returns a registry of about a number of buckets: by a property, by a property and a
// count of events, and with a maximal dwell.
func bucketsOf(size scale) (*registry.Registry, error) {
	f := &ir.File{Version: ir.Version}
	for group := range groups {
		for n := range size.each() {
			f.Definitions = append(f.Definitions, bucketOf(group, n))
		}
	}
	if errs := check.Errors(check.Problems(f)); len(errs) > 0 {
		return nil, fmt.Errorf("the buckets of the benchmark are wrong: %v", errs[0])
	}
	return registry.New(plan.Build(f).Registry), nil
}

func bucketOf(group, n int) ir.Definition {
	value := strconv.Itoa(n)
	criteria := &ir.Node{Op: ir.OpProperty, Property: &ir.PropertyCheck{
		Name: groupName(group), Type: ir.Text, Operator: ir.Eq, Value: &ir.Value{Text: &value},
	}}
	d := ir.Definition{
		ID: bucketID(group, n), Name: fmt.Sprintf("Segment %d of group %d", n, group), Description: "Users of one segment.", Kind: ir.Dynamic,
		Criteria: criteria,
	}
	if n%2 == 1 {
		d.Criteria = &ir.Node{Op: ir.OpAll, Children: []*ir.Node{criteria, {Op: ir.OpEvent, Event: &ir.EventCheck{
			Name: opened, Operator: ir.Lt, Count: most, Window: &ir.Window{Last: 30 * 24 * time.Hour},
		}}}}
	}
	if n%8 == 1 {
		d.MaxDwell = dwell
	}
	return d
}

func groupName(group int) string   { return fmt.Sprintf("group_%d", group) }
func bucketID(group, n int) string { return fmt.Sprintf("group-%d-segment-%04d", group, n) }
func userID(i int) string          { return fmt.Sprintf("user-%07d", i) }
