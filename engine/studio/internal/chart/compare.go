package chart

import (
	"bytes"
	"fmt"
	"html"
)

// Pair is a day of a chart that compares two sizes.
type Pair struct {
	Members, Other int64
	Day, Title     string
}

// Bounds returns the ends of the axis of a comparison.
func Bounds(days []Pair) (least, most int64) {
	steps := make([]Column, 0, 2*len(days))
	for _, d := range days {
		steps = append(steps, Column{Members: d.Members}, Column{Members: d.Other})
	}
	if len(steps) == 0 {
		return 0, 1
	}
	least, most, _ = Range(steps)
	return least, most
}

// Compare draws two sizes as lines, and their difference as a band between them.
func Compare(days []Pair) string {
	days = days[max(0, len(days)-MaxSteps):]
	if len(days) == 0 {
		return ""
	}
	const width, top, low = 1000.0, 6.0, 146.0
	least, most := Bounds(days)
	column := width / float64(len(days))
	var run, other, back bytes.Buffer
	point := func(i int, size int64) string {
		return number((float64(i)+0.5)*column) + "," + number(low-(low-top)*float64(size-least)/float64(max(1, most-least)))
	}
	for i, d := range days {
		fmt.Fprintf(&run, "%s ", point(i, d.Members))
		fmt.Fprintf(&other, "%s ", point(i, d.Other))
		fmt.Fprintf(&back, "%s ", point(len(days)-1-i, days[len(days)-1-i].Other))
	}
	trim := func(b *bytes.Buffer) string { return string(bytes.TrimSpace(b.Bytes())) }
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg class="compare" viewBox="0 0 %s %s" preserveAspectRatio="none" role="group" tabindex="0" `+
		`aria-label="Two sizes by day; arrow keys read the days">`, number(width), number(low+top))
	fmt.Fprintf(&b, `<path class="grid" d="M0 %s H%s M0 %s H%s M0 %s H%s"/>`, number(top), number(width), number((top+low)/2), number(width), number(low), number(width))
	fmt.Fprintf(&b, `<polygon class="band" points="%s %s"/>`, trim(&run), trim(&back))
	fmt.Fprintf(&b, `<polyline class="other" points="%s"/><polyline class="size" points="%s"/>`, trim(&other), trim(&run))
	for i, d := range days {
		fmt.Fprintf(&b, `<g data-step="%d" data-day="%s"><title>%s</title><rect class="hit" x="%s" width="%s" height="%s"/></g>`,
			i, d.Day, html.EscapeString(d.Title), number(float64(i)*column), number(column), number(low+top))
	}
	b.WriteString(`</svg>`)
	return b.String()
}
