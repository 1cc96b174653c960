package view

import (
	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/chart"
)

// backTestChart draws the sizes of a bucket by day.
func backTestChart(b client.BackTestBucket) string {
	steps := make([]chart.Column, len(b.Days))
	for i, d := range b.Days {
		steps[i] = chart.Column{
			Members: d.Members, Entered: d.Entered, Left: d.Left, Day: d.At.UTC().Format("2006-01-02"),
			Title: d.At.UTC().Format("Mon 2006 Jan 02") + ": " + Number(d.Members) + " members",
		}
	}
	return chart.Growth(steps)
}
