package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
)

// curve is a line of a figure: the cost by the number of buckets.
type curve struct {
	name, colour string
	points       [][2]float64 // buckets, nanoseconds
}

// The figure is a plot of both logarithms, from 100 buckets and 10 ns on.
const (
	left, right, top, bottom = 70, 130, 30, 50
	decade                   = 110 // of buckets
	tenfold                  = 62  // of nanoseconds
	leastBuckets             = 2   // tens
	leastTime                = 1
	mostTime                 = 7
)

// draw writes a figure as SVG.
func draw(file string, results []result) error {
	ours, others := curve{name: "bucketgen", colour: "#0a7d4f"}, []curve{{name: "expr", colour: "#b3541e"}, {name: "cel-go", colour: "#4464ad"}}
	scans := []curve{{name: "expr, scan", colour: "#dfa580"}, {name: "cel-go, scan", colour: "#a6b5da"}}
	mostBuckets := leastBuckets
	for _, r := range results {
		n := float64(r.buckets)
		mostBuckets = max(mostBuckets, int(math.Ceil(math.Log10(n))))
		ours.points = append(ours.points, [2]float64{n, r.ours})
		for i := range r.others {
			others[i].points = append(others[i].points, [2]float64{n, r.others[i]})
		}
		for i := range r.scans {
			scans[i].points = append(scans[i].points, [2]float64{n, r.scans[i]})
		}
	}
	var out bytes.Buffer
	width, height := left+right+decade*(mostBuckets-leastBuckets), top+bottom+tenfold*(mostTime-leastTime)
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	axes(&out, mostBuckets)
	for _, c := range append(append([]curve{ours}, others...), scans...) {
		c.draw(&out)
	}
	fmt.Fprintln(&out, "</svg>")
	return os.WriteFile(file, out.Bytes(), 0o644) //nolint:gosec // it is for everybody
}

// axes draws a line for each ten of buckets and of time.
func axes(out *bytes.Buffer, mostBuckets int) {
	for tens := leastBuckets; tens <= mostBuckets; tens++ {
		x := across(math.Pow10(tens))
		line(out, x, upward(math.Pow10(leastTime)), x, upward(math.Pow10(mostTime)))
		text(out, x, upward(math.Pow10(leastTime))+18, "middle", fmt.Sprintf("%.0f", math.Pow10(tens)))
	}
	for tens := leastTime; tens <= mostTime; tens++ {
		y := upward(math.Pow10(tens))
		line(out, across(math.Pow10(leastBuckets)), y, across(math.Pow10(mostBuckets)), y)
		names := [...]string{"1 ns", "10 ns", "100 ns", "1 µs", "10 µs", "100 µs", "1 ms", "10 ms"}
		text(out, left-8, y+4, "end", names[tens])
	}
	text(out, across(math.Pow10(leastBuckets)), upward(math.Pow10(leastTime))+38, "start", "buckets")
	text(out, left, 18, "start", "processor time an event")
}

func (c curve) draw(out *bytes.Buffer) {
	if len(c.points) == 0 {
		return
	}
	fmt.Fprintf(out, `<polyline fill="none" stroke="%s" stroke-width="2" points="`, c.colour)
	for _, p := range c.points {
		fmt.Fprintf(out, "%.1f,%.1f ", across(p[0]), upward(p[1]))
	}
	fmt.Fprintln(out, `"/>`)
	for _, p := range c.points {
		fmt.Fprintf(out, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", across(p[0]), upward(p[1]), c.colour)
	}
	last := c.points[len(c.points)-1]
	fmt.Fprintf(out, `<text x="%.1f" y="%.1f" fill="%s">%s</text>`+"\n", across(last[0])+8, upward(last[1])+4, c.colour, c.name)
}

func across(buckets float64) float64 { return left + decade*(math.Log10(buckets)-leastBuckets) }

func upward(nanoseconds float64) float64 {
	return top + tenfold*(mostTime-math.Log10(nanoseconds))
}

func line(out *bytes.Buffer, x1, y1, x2, y2 float64) {
	fmt.Fprintf(out, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#ddd"/>`+"\n", x1, y1, x2, y2)
}

func text(out *bytes.Buffer, x, y float64, anchor, s string) {
	fmt.Fprintf(out, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, s)
}
