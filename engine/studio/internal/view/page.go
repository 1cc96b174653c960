package view

import (
	"strconv"
	"strings"

	"github.com/bucketgen/bucketgen/engine/studio/internal/chart"
)

// trailSeparator stands between the cursors of the pages before. It occurs in none.
const trailSeparator = "~"

// next returns the address of the next page of a list.
func (p Page) next(cursor string) string {
	trail := p.Query.Get("trail")
	if after := p.Query.Get("after"); after != "" {
		trail += trailSeparator + after
	}
	return p.With("after", cursor, "trail", trail)
}

// previous returns the address of the page of a list before this one.
func (p Page) previous() string {
	trail := p.Query.Get("trail")
	last := strings.LastIndex(trail, trailSeparator)
	if last < 0 {
		return p.With("after", "", "trail", "")
	}
	return p.With("after", trail[last+1:], "trail", trail[:last])
}

func hitID(i int) string { return "hit-" + strconv.Itoa(i) }

// spark is a small line of sizes.
func spark(sizes []int64) string { return chart.Spark(sizes) }
