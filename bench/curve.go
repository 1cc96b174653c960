package main

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
)

// point is what an event costs at one size, in µs of processor time.
type point struct {
	size        int
	here, there float64
}

func (p point) sum() float64 { return p.here + p.there }

// curve is what an event costs over the size of something.
type curve struct {
	unit   string
	points []point
}

// svg draws it: sizes by their logarithm, costs from 0.
func (c curve) svg() []byte {
	const width, height, left, right, top, bottom = 640, 300, 60, 40, 30, 50
	first, last := math.Log10(float64(c.points[0].size)), math.Log10(float64(c.points[len(c.points)-1].size))
	most := 1.2 * slices.MaxFunc(c.points, func(a, b point) int { return cmp.Compare(a.sum(), b.sum()) }).sum()
	x := func(size int) float64 {
		return left + (math.Log10(float64(size))-first)/(last-first)*(width-left-right)
	}
	y := func(cost float64) float64 { return height - bottom - cost/most*(height-top-bottom) }
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	text := func(x, y float64, anchor, fill, text string) {
		fmt.Fprintf(&b, `<text x="%.0f" y="%.0f" text-anchor="%s" fill="%s">%s</text>`+"\n", x, y, anchor, fill, html.EscapeString(text))
	}
	line := func(at float64, name, fill string, cost func(point) float64) {
		fmt.Fprintf(&b, `<polyline fill="none" stroke="%s" stroke-width="2" points="`, fill)
		for _, p := range c.points {
			fmt.Fprintf(&b, "%.0f,%.0f ", x(p.size), y(cost(p)))
		}
		fmt.Fprint(&b, `"/>`+"\n")
		text(at, top-12, "end", fill, name)
	}
	fmt.Fprintf(&b, `<path d="M%d %d V%d H%d" fill="none" stroke="#999"/>`+"\n", left, top, height-bottom, width-right)
	for _, p := range c.points {
		text(x(p.size), height-bottom+18, "middle", "#333", strconv.Itoa(p.size))
	}
	for i := range 5 {
		cost := most * float64(i) / 4
		text(left-6, y(cost)+4, "end", "#333", fmt.Sprintf("%.0f", cost))
	}
	text(left, top-12, "start", "#333", "µs of processor time an event")
	text(width-right, height-12, "end", "#333", c.unit)
	line(width-right-160, "both", "#222", point.sum)
	line(width-right, "PostgreSQL", "#07c", func(p point) float64 { return p.there })
	line(width-right-75, "the program", "#c50", func(p point) float64 { return p.here })
	fmt.Fprintln(&b, "</svg>")
	return b.Bytes()
}
